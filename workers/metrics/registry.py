"""The metrics as prometheus_client keeps them: what was counted, added up here, and what a scrape reads."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from workers.metrics.catalogue import COUNTED, READ, SCRAPE_ERRORS, WORKER_INFO, Kind, Metric
from workers.metrics.sampling import Reading, Sampler
from workers.tally import Counted

log = structlog.get_logger()

WAIT_SECONDS = 2.0
"""So long a scrape waits for all sources together."""


class Registry:
    """Every metric of one worker."""

    def __init__(self, samplers: Sequence[Sampler] = ()) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when a series began is of no use here, and doubles their number
        self.prometheus = CollectorRegistry()
        errors = _counter(SCRAPE_ERRORS, None)
        self.prometheus.register(_AtScrape(samplers, errors))
        self.prometheus.register(errors)  # behind what it counts
        self._counted = {metric.name: _made(metric, self.prometheus) for metric in COUNTED}
        ProcessCollector(registry=self.prometheus)

    def tell_worker(self, name: str, queues: str, gpus: str) -> None:
        """Say which worker this is."""
        info = Gauge(WORKER_INFO.name, WORKER_INFO.says, WORKER_INFO.labels, registry=self.prometheus)
        info.labels(worker=name, queues=queues, gpus=gpus).set(1)

    def add(self, counted: Counted) -> None:
        """Add what a process of the worker counted."""
        metric = self._counted[counted.name]
        series = metric.labels(**counted.labels) if counted.labels else metric
        if isinstance(series, Histogram):
            series.observe(counted.value)
        else:
            series.inc(counted.value)

    def add_all(self, counted: Iterable[Counted]) -> None:
        """Add all of this."""
        for one in counted:
            try:
                self.add(one)
            except (KeyError, TypeError, ValueError):  # a bug of ours, which must not end all counting
                log.exception("metrics.error", count=one.name)


def _made(metric: Metric, registry: CollectorRegistry) -> Counter | Histogram:
    return _counter(metric, registry) if metric.kind is Kind.COUNTER else _histogram(metric, registry)


def _counter(metric: Metric, registry: CollectorRegistry | None) -> Counter:
    made = Counter(metric.name, metric.says, metric.labels, registry=registry)
    for labels in metric.known_series():
        made.labels(**labels)
    return made


def _histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    made = Histogram(metric.name, metric.says, metric.labels, buckets=metric.buckets, registry=registry)
    for labels in metric.known_series():
        made.labels(**labels)
    return made


class _AtScrape(Collector):
    """Has every source asked at once; one that does not answer in time is left out, and counted."""

    def __init__(self, samplers: Sequence[Sampler], errors: Counter) -> None:
        self._samplers = samplers
        self._errors = errors

    def describe(self) -> Iterator[Family]:
        """Name what there may be, without asking anybody."""
        for metric in READ:
            yield GaugeMetricFamily(metric.name, metric.says)

    def collect(self) -> Iterator[Family]:
        """Read."""
        until = time.monotonic() + WAIT_SECONDS
        for sampler in self._samplers:
            sampler.begin()
        found: list[Reading] = []
        for sampler in self._samplers:
            readings = sampler.readings(until - time.monotonic())
            if readings is None:
                self._errors.labels(source=sampler.source.value).inc()
            found += readings or ()
        for metric in READ:
            if series := [reading for reading in found if reading.metric is metric]:
                yield _family(metric, series)


def _family(metric: Metric, series: Sequence[Reading]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.says, labels=metric.labels)
    for reading in series:
        family.add_metric([reading.labels[label] for label in metric.labels], reading.value)
    return family
