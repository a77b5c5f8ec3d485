"""Commands that measure: what the farm takes for itself, what its models cost, how near it comes to what can be."""
