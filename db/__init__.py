"""What every process of the farm shares: settings, the ledger, the image store and the words a run is made of."""
