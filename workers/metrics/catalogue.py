"""Every metric: its name, what it tells, by which labels; registry and docs/reference/metrics.md are made of this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from db.tables import FailureKind, Stage


class Kind(StrEnum):
    """What Prometheus calls its types."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


class Source(StrEnum):
    """What a gauge is read from when it is scraped."""

    LEDGER = "ledger"
    BROKER = "broker"
    GPU = "gpu"


@dataclass(frozen=True)
class Metric:
    """One metric. Of a label whose `values` are known all series are there from the start, at 0.

    `says` is the sentence of its HELP line; `source` is set where a scrape has it read.
    """

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    source: Source | None = None

    def known_series(self) -> list[dict[str, str]]:
        """Return the labels of every series that is known beforehand; none where a label may hold anything."""
        if not self.labels or set(self.labels) - set(self.values):
            return []
        values = product(*(self.values[label] for label in self.labels))
        return [dict(zip(self.labels, chosen, strict=True)) for chosen in values]


STAGES = tuple(stage.value for stage in Stage)
OUTCOMES = ("done", "failed", "retried", "handed_back")
OPEN = ("queued", "running", "failed")
WORKER_STATES = ("serving", "sick", "silent")

JOB_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
LOAD_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)

COUNTED = (
    Metric(
        "editfarm_jobs_total",
        Kind.COUNTER,
        "Claims of this worker that ended, as the ledger took it: done, failed for good, to be retried after a failure "
        "that may pass, or handed back without an outcome; and those of dead workers that this one handed back.",
        ("stage", "outcome"),
        {"stage": STAGES, "outcome": OUTCOMES},
    ),
    Metric(
        "editfarm_job_failures_total",
        Kind.COUNTER,
        "Claims that failed, for good or to be retried, by why.",
        ("stage", "kind"),
        {"stage": STAGES, "kind": tuple(kind.value for kind in FailureKind if kind is not FailureKind.MISSING)},
    ),
    Metric(
        "editfarm_results_refused_total",
        Kind.COUNTER,
        "Results that the ledger did not take, because the job had been taken over or cancelled.",
        ("stage",),
        {"stage": STAGES},
    ),
    Metric(
        "editfarm_job_seconds",
        Kind.HISTOGRAM,
        "Time that the model took for a job that was done; of scores judged together, each has its share.",
        ("stage",),
        {"stage": STAGES},
        JOB_BUCKETS,
    ),
    Metric(
        "editfarm_leases_expired_total",
        Kind.COUNTER,
        "Claims of other workers that this one handed back because nobody had renewed them.",
    ),
    Metric(
        "editfarm_children_lost_total",
        Kind.COUNTER,
        "Processes of this worker that died at their work, or stood still and were ended.",
    ),
    Metric("editfarm_model_loads_total", Kind.COUNTER, "Models loaded from disk.", ("model",)),
    Metric(
        "editfarm_model_load_seconds", Kind.HISTOGRAM, "Time that loading a model took.", ("model",), {}, LOAD_BUCKETS
    ),
    Metric(
        "editfarm_model_swaps_total",
        Kind.COUNTER,
        "Times that a model took another one's place on the GPU, loaded or woken from host memory.",
    ),
)
"""What the worker counts itself, from its start."""

QUEUE_MESSAGES = Metric(
    "editfarm_queue_messages",
    Kind.GAUGE,
    "Messages that wait in the broker: some 128 at most, the whole backlog is in editfarm_ledger_jobs.",
    ("queue",),
    {"queue": STAGES},
    source=Source.BROKER,
)
LEDGER_JOBS = Metric(
    "editfarm_ledger_jobs",
    Kind.GAUGE,
    "Jobs of all runs that wait, are under way or failed; counted up to 1,000,000.",
    ("stage", "state"),
    {"stage": STAGES, "state": OPEN},
    source=Source.LEDGER,
)
WORKERS = Metric(
    "editfarm_workers",
    Kind.GAUGE,
    "Workers of the farm: serving, sick (their GPU fails) or silent for more than a minute.",
    ("state",),
    {"state": WORKER_STATES},
    source=Source.LEDGER,
)
GPU_USED = Metric(
    "editfarm_gpu_memory_used_bytes",
    Kind.GAUGE,
    "Memory of this worker's GPU that is taken, by whomever.",
    ("uuid", "index"),
    source=Source.GPU,
)
GPU_TOTAL = Metric(
    "editfarm_gpu_memory_total_bytes",
    Kind.GAUGE,
    "Memory that this worker's GPU has.",
    ("uuid", "index"),
    source=Source.GPU,
)
GPU_UTILIZATION = Metric(
    "editfarm_gpu_utilization_ratio",
    Kind.GAUGE,
    "Share of the time, from 0 to 1, in which this worker's GPU was at work lately; absent for a MIG slice.",
    ("uuid", "index"),
    source=Source.GPU,
)
READ = (QUEUE_MESSAGES, LEDGER_JOBS, WORKERS, GPU_USED, GPU_TOTAL, GPU_UTILIZATION)
"""What is read when it is asked for."""

SCRAPE_ERRORS = Metric(
    "editfarm_scrape_errors_total",
    Kind.COUNTER,
    "Scrapes from which the series of this source were left out, because it did not answer within 2 seconds.",
    ("source",),
    {"source": tuple(source.value for source in Source)},
)
WORKER_INFO = Metric(
    "editfarm_worker_info",
    Kind.GAUGE,
    "Always 1; which worker this is, the queues it was started for, and its GPUs.",
    ("worker", "queues", "gpus"),
)
EVERY = (*COUNTED, *READ, SCRAPE_ERRORS, WORKER_INFO)
