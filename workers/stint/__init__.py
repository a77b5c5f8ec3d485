"""What a pool child does between a message and its acknowledgement: a stint, and the stations of a job within it."""
