"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "benchmarks",
        sa.Column("id", sa.String(length=64), nullable=False, comment="sha-256 of the samples' content"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False, comment="every sample is in"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benchmarks")),
    )
    op.create_table(
        "runs",
        sa.Column(
            "id", sa.String(length=12), nullable=False, comment="from the benchmark's and the configuration's digest"
        ),
        sa.Column("benchmark_id", sa.String(length=64), nullable=False),
        sa.Column(
            "configuration",
            sa.JSON(none_as_null=True),
            nullable=False,
            comment="fully resolved: everything that shapes a result",
        ),
        sa.Column("priority", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high')", name=op.f("ck_runs_priority")),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmarks.id"], name=op.f("fk_runs_benchmark_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_table(
        "samples",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("benchmark_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="place in the benchmark, from 0"),
        sa.Column("key", sa.Text(), nullable=False, comment="the benchmark's own name of the sample"),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("instruction", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("source_image", sa.String(length=64), nullable=False),
        sa.Column("reference_image", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmarks.id"], name=op.f("fk_samples_benchmark_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_samples")),
        sa.UniqueConstraint("benchmark_id", "category", "key", name=op.f("uq_samples_benchmark_id_category_key")),
        sa.UniqueConstraint("benchmark_id", "position", name=op.f("uq_samples_benchmark_id_position")),
    )
    op.create_table(
        "edits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column(
            "attempt", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="fencing number; only grows"
        ),
        sa.Column("attempts_allowed", sa.Integer(), server_default=sa.text("3"), nullable=False),
        sa.Column("not_before", sa.Double(), nullable=False, comment="waits until then"),
        sa.Column("published_at", sa.Double(), nullable=True, comment="last message sent; null: a message is owed"),
        sa.Column("owner", sa.Text(), nullable=True, comment="the process and delivery that hold the claim"),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True, comment="name of the worker of the last attempt"),
        sa.Column("started_at", sa.Double(), nullable=True, comment="last claim"),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True, comment="time the model took, loading excluded"),
        sa.Column("last_words", sa.Text(), nullable=True, comment="how the last attempt without an outcome ended"),
        sa.Column("failure_kind", sa.String(length=24), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True, comment="what else the model said"),
        sa.Column("run_id", sa.String(length=12), nullable=False),
        sa.Column("sample_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False, comment="from 0"),
        sa.Column("image", sa.String(length=64), nullable=True, comment="the edited image"),
        sa.CheckConstraint("(state = 'done') = (image IS NOT NULL)", name=op.f("ck_edits_image")),
        sa.CheckConstraint("(state = 'failed') = (failure_kind IS NOT NULL)", name=op.f("ck_edits_failure_kind")),
        sa.CheckConstraint(
            "(state = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)", name=op.f("ck_edits_claim")
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name=op.f("ck_edits_finished_at")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_edits_state")
        ),
        sa.CheckConstraint("(failure_kind IS NULL) = (failure_reason IS NULL)", name=op.f("ck_edits_failure_reason")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_edits_run_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["samples.id"], name=op.f("fk_edits_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edits")),
        sa.UniqueConstraint("run_id", "sample_id", "repeat", name=op.f("uq_edits_run_id_sample_id_repeat")),
    )
    op.create_index(op.f("ix_edits_run_id_state"), "edits", ["run_id", "state"], unique=False)
    op.create_index(op.f("ix_edits_state_published_at"), "edits", ["state", "published_at"], unique=False)
    op.create_table(
        "run_scorers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.String(length=12), nullable=False),
        sa.Column("label", sa.Text(), nullable=False, comment="how reports call it; unique in the run"),
        sa.Column("configuration", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_scorers_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_scorers")),
        sa.UniqueConstraint("run_id", "label", name=op.f("uq_run_scorers_run_id_label")),
    )
    op.create_table(
        "scores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column(
            "attempt", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="fencing number; only grows"
        ),
        sa.Column("attempts_allowed", sa.Integer(), server_default=sa.text("3"), nullable=False),
        sa.Column("not_before", sa.Double(), nullable=False, comment="waits until then"),
        sa.Column("published_at", sa.Double(), nullable=True, comment="last message sent; null: a message is owed"),
        sa.Column("owner", sa.Text(), nullable=True, comment="the process and delivery that hold the claim"),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True, comment="name of the worker of the last attempt"),
        sa.Column("started_at", sa.Double(), nullable=True, comment="last claim"),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True, comment="time the model took, loading excluded"),
        sa.Column("last_words", sa.Text(), nullable=True, comment="how the last attempt without an outcome ended"),
        sa.Column("failure_kind", sa.String(length=24), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.JSON(none_as_null=True), nullable=True, comment="what else the model said"),
        sa.Column("edit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scorer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.Double(), nullable=True, comment="0 to 10"),
        sa.CheckConstraint("(state = 'done') = (value IS NOT NULL)", name=op.f("ck_scores_value")),
        sa.CheckConstraint("(state = 'failed') = (failure_kind IS NOT NULL)", name=op.f("ck_scores_failure_kind")),
        sa.CheckConstraint(
            "(state = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)", name=op.f("ck_scores_claim")
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name=op.f("ck_scores_finished_at")
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_scores_state")
        ),
        sa.CheckConstraint("(failure_kind IS NULL) = (failure_reason IS NULL)", name=op.f("ck_scores_failure_reason")),
        sa.ForeignKeyConstraint(["edit_id"], ["edits.id"], name=op.f("fk_scores_edit_id")),
        sa.ForeignKeyConstraint(["scorer_id"], ["run_scorers.id"], name=op.f("fk_scores_scorer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scores")),
        sa.UniqueConstraint("edit_id", "scorer_id", name=op.f("uq_scores_edit_id_scorer_id")),
    )
    op.create_index(op.f("ix_scores_scorer_id_state"), "scores", ["scorer_id", "state"], unique=False)
    op.create_index(op.f("ix_scores_state_published_at"), "scores", ["state", "published_at"], unique=False)
