"""Where runs stand and what workers are at: by the ledger, and by what the workers say of themselves."""
