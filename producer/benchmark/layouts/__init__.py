"""Whose benchmark has which part of a sample in which column: our own layout, and those of public benchmarks."""
