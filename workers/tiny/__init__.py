"""Tiny checkpoints with random weights, in the layout and of the architectures of the real ones."""
