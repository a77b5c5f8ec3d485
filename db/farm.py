"""The open farm of this process: its ledger and its image store, as the settings name them."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Engine

from db.engine import open_engine
from db.images import ImageStore
from db.images.address import open_store
from db.ledger import Ledger
from db.settings import settings


@cache
def engine() -> Engine:
    """Return the engine of the ledger's database. Raises ServiceUnreachable or WrongCall."""
    return open_engine(settings().database)


@cache
def ledger() -> Ledger:
    """Return the ledger."""
    return Ledger(engine(), lease_seconds=settings().lease_seconds)


@cache
def images() -> ImageStore:
    """Return the image store. Raises WrongCall for one that cannot be."""
    return open_store(settings().image_store)
