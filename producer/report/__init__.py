"""What a run has shown so far: gathered once from the ledger, then written as a table or as JSON."""
