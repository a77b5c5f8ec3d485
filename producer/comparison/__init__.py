"""Several runs beside each other: on the samples that they share, or by what shaped them."""
