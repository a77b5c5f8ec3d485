"""How a worker's parent process looks after its children, for the lease keeper; no images and no networks here."""
