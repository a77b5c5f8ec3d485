"""Where an outcome came about: machine, software and loaded model."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "environments",
        sa.Column("id", sa.String(length=64), nullable=False, comment="sha-256 of the facts"),
        sa.Column(
            "facts",
            sa.JSON(none_as_null=True),
            nullable=False,
            comment="machine, software and loaded model: what shapes a result, unasked",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environments")),
    )
    for jobs in ("edits", "scores"):
        # Written out: for SQLite alembic would make the whole table anew to add a column that refers to another.
        op.execute(
            f"ALTER TABLE {jobs} ADD COLUMN environment VARCHAR(64) "
            f"CONSTRAINT fk_{jobs}_environment REFERENCES environments (id)"
        )
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"COMMENT ON COLUMN {jobs}.environment IS 'where the outcome came about'")
