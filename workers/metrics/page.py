"""The page that documents the metrics, docs/reference/metrics.md: made of the catalogue, checked by a test."""

from __future__ import annotations

from collections.abc import Iterator

from workers.metrics.catalogue import COUNTED, READ, SCRAPE_ERRORS, WORKER_INFO, Metric
from workers.metrics.registry import WAIT_SECONDS
from workers.metrics.sampling import FRESH_SECONDS

_HEAD = """\
# Metrics

<!-- Made by `python -m workers.metrics`; a test compares them. -->

What each worker serves at `/metrics` when `FARM_METRICS_PORT` is set, in Prometheus' text format.
[Monitoring](../howto/monitoring.md) says how to turn it on, what to alert on and what the dashboard shows.
No label ever names a run, a sample or a job: what happened to one of those is in the ledger and in the log.
"""

_COUNTED = """\
## What a worker counts

From its start, 0 after a restart. A process of the worker that dies takes no count with it. Counted is what the ledger
took, after it took it, so each attempt at a job has one outcome, whoever wrote it. A result that comes too late is
counted as refused and as nothing else; a job that takes another run's result is no attempt, and not counted.
"""

_READ = f"""\
## What is read when it is scraped

Read at most every {FRESH_SECONDS:.0f} seconds. A source that has not answered after {WAIT_SECONDS:.0f} seconds is left
out of the page: its series are absent, not 0 and not stale. Ledger and broker are the farm's, and every worker says the
same of them: take `max by (stage, state)`, never `sum`. GPUs are the worker's own, by the UUID that `nvidia-smi -L`
shows; on CPUs, without a driver or without `nvidia-ml-py` (extra `gpu`) there are none.
"""

_REST = """\
## About the worker and the scrape

`process_*` (memory, CPU seconds, open files) are of the worker's parent process, as prometheus_client names them.
"""


def metrics_page() -> str:
    """Return the page as Markdown."""
    parts = [
        _HEAD,
        *_section(_COUNTED, COUNTED),
        *_section(_READ, READ),
        *_section(_REST, (WORKER_INFO, SCRAPE_ERRORS)),
    ]
    return "\n".join(parts)


def _section(head: str, metrics: tuple[Metric, ...]) -> Iterator[str]:
    yield head
    for metric in metrics:
        yield f"### `{metric.name}`\n\n{metric.kind.value.capitalize()}. {metric.says}\n"
        if metric.labels:
            yield "\n".join(f"- `{label}`: {_values(metric, label)}" for label in metric.labels) + "\n"
        if metric.buckets:
            yield f"Buckets, in seconds: {', '.join(f'{bucket:g}' for bucket in metric.buckets)}.\n"


def _values(metric: Metric, label: str) -> str:
    if label in metric.values:
        return ", ".join(f"`{value}`" for value in metric.values[label])
    return _OPEN_LABELS[label]


_OPEN_LABELS = {
    "model": "the label that the run gives it, as in the report",
    "uuid": "the GPU's UUID",
    "index": "its place by PCI bus, as `nvidia-smi` numbers it",
    "worker": "its name, as in `status` and Flower",
    "queues": "as in `edit,score`",
    "gpus": "as in `3`: what its name says, else `CUDA_VISIBLE_DEVICES`; empty: no GPU, or none pinned",
}
