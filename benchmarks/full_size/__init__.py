"""Networks of the real sizes, with random weights: what a step, a batch and a swap of them cost on a GPU."""
