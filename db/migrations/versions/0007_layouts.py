"""What public benchmarks say of a sample beside one image: reference texts, several sources, fields of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_SEVERAL_SOURCES = sa.text("more_sources <> ''")


def upgrade() -> None:
    text = sa.Column("reference_text", sa.Text(), nullable=True, comment="what a right result is, in words")
    more = sa.Column(
        "more_sources", sa.Text(), nullable=False, server_default=sa.text("''"), comment="digests, a space between"
    )
    fields = sa.Column(
        "fields",
        sa.JSON(none_as_null=True),
        nullable=True,
        comment="what else the benchmark says of it, by name, for rubrics",
    )
    for column in (text, more, fields):
        op.add_column("samples", column)
    where = {"sqlite_where": _SEVERAL_SOURCES, "postgresql_where": _SEVERAL_SOURCES}
    op.create_index(op.f("ix_samples_benchmark_id"), "samples", ["benchmark_id"], **where)  # type: ignore[arg-type]
