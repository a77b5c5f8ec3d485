"""Work as the first scripts had it: drawn, cut into cases, and done by a farm of ours under the clock."""
