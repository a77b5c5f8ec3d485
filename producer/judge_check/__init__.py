"""Whether a judge may be trusted: its scores held against people's, against themselves, and against the order shown."""
