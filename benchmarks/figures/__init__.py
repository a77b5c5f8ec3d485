"""How a benchmark comes to its figures, holds them to goals and tells them."""
