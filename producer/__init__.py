"""The side of the person who asks: benchmarks in, runs and messages out, progress and reports back."""
