"""Judges asked several times, scales of other people's scores, what was retried, a benchmark's own prompts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_JUDGED_ONCE = ("uq_run_scorers_run_id_label", "UNIQUE (run_id, label)")
_JUDGED_REPEATEDLY = ("uq_run_scorers_run_id_label_repeat", "UNIQUE (run_id, label, repeat)")
_OF_TEN, _OF_A_HUNDRED = ("value BETWEEN 0 AND 10", "value BETWEEN 0 AND 100")


def upgrade() -> None:
    op.add_column("runs", sa.Column("prompts", sa.JSON(none_as_null=True), nullable=True, comment=_PROMPTS))
    for name, kind, default, comment in (
        ("repeat", sa.Integer(), "0", "how often it was asked before, from 0"),
        ("scale_min", sa.Double(), "0", "the least score it can give"),
        ("scale_max", sa.Double(), "10", "the best one"),
    ):
        given = sa.Column(name, kind, nullable=False, server_default=sa.text(default), comment=comment)
        op.add_column("run_scorers", given)
    for table in ("edits", "scores"):
        retried: sa.Column[bool] = sa.Column(
            "retried", sa.Boolean(), nullable=False, server_default=sa.false(), comment=_RETRIED
        )
        op.add_column(table, retried)
    if op.get_bind().dialect.name == "sqlite":
        _make_anew("run_scorers", dict(zip(_JUDGED_ONCE, _JUDGED_REPEATEDLY, strict=True)))
        _make_anew("scores", {_OF_TEN: _OF_A_HUNDRED})
    else:
        op.alter_column("run_scorers", "label", comment="how reports call it")
        op.alter_column("scores", "value", comment="on the scorer's scale")
        op.drop_constraint(op.f(_JUDGED_ONCE[0]), "run_scorers")
        op.create_unique_constraint(op.f(_JUDGED_REPEATEDLY[0]), "run_scorers", ["run_id", "label", "repeat"])
        op.drop_constraint(op.f("ck_scores_scale"), "scores")
        op.create_check_constraint(op.f("ck_scores_scale"), "scores", _OF_A_HUNDRED)


def _make_anew(table: str, changes: dict[str, str]) -> None:
    """Make the table anew with other constraints and the same content: SQLite cannot change any.

    Foreign keys are not enforced meanwhile (db.engine sees to that), or dropping the old table would empty others.
    """
    connection = op.get_bind()
    schema = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type = :type AND sql IS NOT NULL")
    made = connection.scalar(schema, {"table": table, "type": "table"})
    indexes = connection.scalars(schema, {"table": table, "type": "index"}).all()
    for before, after in changes.items():
        if before not in made:
            raise ValueError(f"table {table} of this ledger has no {before!r}")
        made = made.replace(before, after)
    # A table made anew before is called by its name in quotes.
    anew = made.replace(f'CREATE TABLE "{table}"', f"CREATE TABLE {table}", 1)
    op.execute(anew.replace(f"CREATE TABLE {table}", f"CREATE TABLE new_{table}", 1))
    op.execute(f"INSERT INTO new_{table} SELECT * FROM {table}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
    for index in indexes:
        op.execute(index)


_PROMPTS = "the benchmark's own prompts by category, for judges asked later"
_RETRIED = "a person had it done again after it had ended"
