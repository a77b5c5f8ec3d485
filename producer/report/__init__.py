"""What a run has shown so far: gathered once from the ledger, then written as a table, JSON, CSV or markdown."""
