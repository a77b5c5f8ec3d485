"""The edits of a sample found by its index: a benchmark is removed without a walk through all edits for each sample."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_BEFORE, _AFTER = ["run_id", "sample_id", "repeat"], ["sample_id", "run_id", "repeat"]


def upgrade() -> None:
    before, after = ("uq_edits_" + "_".join(columns) for columns in (_BEFORE, _AFTER))
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(before), "edits")
        op.create_unique_constraint(op.f(after), "edits", _AFTER)
        return
    connection = op.get_bind()
    schema = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = 'edits' AND type = :type AND sql IS NOT NULL")
    made = connection.scalar(schema, {"type": "table"})
    indexes = connection.scalars(schema, {"type": "index"}).all()
    unique = "CONSTRAINT {} UNIQUE ({})"
    was, becomes = unique.format(before, ", ".join(_BEFORE)), unique.format(after, ", ".join(_AFTER))
    if was not in made:
        raise ValueError(f"table edits of this ledger has no {was!r}")
    op.execute(made.replace(was, becomes).replace('"edits"', "edits").replace("TABLE edits", "TABLE new_edits", 1))
    op.execute("INSERT INTO new_edits SELECT * FROM edits")
    op.execute("DROP TABLE edits")  # foreign keys are not looked at meanwhile, or scores would be lost with it
    op.execute("ALTER TABLE new_edits RENAME TO edits")
    for index in indexes:
        op.execute(index)
