"""Data sets on the Hugging Face Hub: named by an address, fetched to this machine, read like any folder."""
