"""Editors and scorers: networks, pixels and text, knowing neither Celery nor the ledger."""
