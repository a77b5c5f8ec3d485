"""A run as it moves between farms: its rows in natural keys, read from one ledger and entered into another."""
