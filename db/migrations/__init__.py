"""Alembic's revisions: how a ledger made by an older version becomes the present one."""
