"""What a farm needs now and then: `fsck` holds the ledger against the image store, `gc` removes what nobody names."""
