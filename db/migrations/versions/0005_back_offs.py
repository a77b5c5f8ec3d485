"""What waits behind a back-off is counted without a look at all the rest that waits."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TRIED_AND_WAITING = sa.text("state = 'queued' AND attempt > 0")


def upgrade() -> None:
    for table, source in (("edits", "run_id"), ("scores", "scorer_id")):
        op.create_index(
            op.f(f"ix_{table}_{source}_state_not_before"),
            table,
            [source, "state", "not_before"],
            sqlite_where=_TRIED_AND_WAITING,
            postgresql_where=_TRIED_AND_WAITING,
        )
