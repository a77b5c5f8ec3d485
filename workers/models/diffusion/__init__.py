"""The parts of the diffusers editor."""
