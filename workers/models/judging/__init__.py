"""The parts that judges share: what they are asked, how they reply, how that is read."""
