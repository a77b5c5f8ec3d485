"""What each worker serves and how fast, what models take, which runs share edits; what waits is found by its id."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_IN_ORDER = {"edits": "run_id", "scores": "scorer_id"}


def upgrade() -> None:
    for column in (
        sa.Column(
            "stages", sa.Text(), nullable=False, server_default=sa.text("''"), comment="its queues, as in `edit,score`"
        ),
        sa.Column("stage", sa.String(length=5), nullable=True, comment="the one it serves now; null: none yet"),
        sa.Column("run_id", sa.String(length=12), nullable=True, comment="the run it serves now"),
        sa.Column(
            "ready_at",
            sa.Double(),
            nullable=True,
            comment="when its model is there and its job done, as far as it can tell",
        ),
        sa.Column(
            "idle", sa.Boolean(), nullable=False, server_default=sa.false(), comment="found nothing to do, and waits"
        ),
        sa.Column(
            "pace",
            sa.Double(),
            nullable=False,
            server_default=sa.text("1.0"),
            comment="jobs it does while others do one",
        ),
    ):
        op.add_column("workers", column)
    op.create_table(
        "timings",
        sa.Column("model", sa.String(length=64), nullable=False, comment="sha-256 of stage, name and options"),
        sa.Column(
            "seconds",
            sa.Double(),
            nullable=True,
            comment="what one edit, or one score in a full batch, took lately, on average",
        ),
        sa.Column(
            "jobs",
            sa.Integer(),
            nullable=False,
            server_default=sa.text("0"),
            comment="how many were measured; 0: part of a batch",
        ),
        sa.Column("load_seconds", sa.Double(), nullable=True, comment="what it took lately to make it resident"),
        sa.Column("measured_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_timings")),
    )
    _share_edits()
    for table, source in _IN_ORDER.items():
        op.drop_index(op.f(f"ix_{table}_{source}_state"), table_name=table)
        op.create_index(op.f(f"ix_{table}_{source}_state_id"), table, [source, "state", "id"])


def _share_edits() -> None:
    """Make room for what runs share; those that are there share nothing."""
    editing = sa.Column(
        "editing",
        sa.String(length=64),
        nullable=True,
        comment="sha-256 of editor and seed: runs alike share edits; null: with no other run",
    )
    made_for = sa.Column(
        "made_for",
        sa.String(length=12),
        nullable=True,
        comment="the run that the image was made for, where that is another",
    )
    op.add_column("runs", editing)
    op.add_column("edits", made_for)
    op.create_index(op.f("ix_runs_editing"), "runs", ["editing"])
