"""Where outcomes come about: machine, software and loaded model, entered once and named by their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy import Engine, exists, insert, select
from sqlalchemy.exc import IntegrityError

from db.engine import transaction
from db.tables import environments


def enter_environment(engine: Engine, facts: Mapping[str, object]) -> str:
    """Enter these facts (JSON values) unless they are there; return their id."""
    canonical = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    with suppress(IntegrityError), transaction(engine) as connection:  # another worker may be entering the same
        if not connection.scalar(select(exists().where(environments.c.id == digest))):
            connection.execute(insert(environments).values(id=digest, facts=json.loads(canonical)))
    return digest
