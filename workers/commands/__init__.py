"""What `python -m workers` does; its flags are in `workers.__main__`."""
