"""Networks onto their device: where the weights are, where they go, how they leave and come back."""
