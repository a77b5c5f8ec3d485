"""All that is known of one sample of a run: as data, and as text."""
