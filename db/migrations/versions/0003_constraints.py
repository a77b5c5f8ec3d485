"""What must never be, said to the database; the workers and how they are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BOTH = {
    "attempt": "attempt <= attempts_allowed",
    "claimed": "state NOT IN ('running', 'done') OR attempt > 0",
}
_ADDED = {
    "edits": {**_BOTH, "digest": "length(image) = 64"},
    "scores": {**_BOTH, "scale": "value BETWEEN 0 AND 10"},
}


def upgrade() -> None:
    for table, checks in _ADDED.items():
        named = {f"ck_{table}_{name}": check for name, check in checks.items()}
        if op.get_bind().dialect.name == "sqlite":
            _make_anew(table, named)
        else:
            for name, check in named.items():
                op.create_check_constraint(op.f(name), table, check)
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False, comment="the worker's parent process"),
        sa.Column("gpu", sa.Text(), nullable=False, comment="CUDA_VISIBLE_DEVICES; empty: none"),
        sa.Column("health", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is sick"),
        sa.Column("since", sa.Double(), nullable=False, comment="when it became so"),
        sa.Column("seen_at", sa.Double(), nullable=False, comment="its last word"),
        sa.CheckConstraint("(health = 'sick') = (reason IS NOT NULL)", name=op.f("ck_workers_reason")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )


def _make_anew(table: str, checks: dict[str, str]) -> None:
    """Make the table anew with these constraints and the same content: SQLite cannot add any to a table.

    Foreign keys are not enforced meanwhile (db.engine sees to that), or dropping the old table would empty others.
    """
    connection = op.get_bind()
    schema = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type = :type AND sql IS NOT NULL")
    made = connection.scalar(schema, {"table": table, "type": "table"})
    indexes = connection.scalars(schema, {"table": table, "type": "index"}).all()
    added = "".join(f", CONSTRAINT {name} CHECK ({check})" for name, check in checks.items())
    op.execute(
        made.replace(f"CREATE TABLE {table}", f"CREATE TABLE new_{table}", 1).rstrip().removesuffix(")") + added + ")"
    )
    op.execute(f"INSERT INTO new_{table} SELECT * FROM {table}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
    for index in indexes:
        op.execute(index)
