"""What passes between a worker and the broker."""
