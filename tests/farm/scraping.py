"""What a worker's `/metrics` says, read as Prometheus would."""

from __future__ import annotations

import socket
import urllib.request
from collections import Counter
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from tests.farm.servers import free_port


def scraped(port: int, address: str = "127.0.0.1") -> str:
    """Return the page. Raises OSError while nothing listens there."""
    with urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def page(port: int) -> str:
    """Return the page, an empty one while nothing listens there."""
    try:
        return scraped(port)
    except OSError:
        return ""


def free_ports(count: int) -> int:
    """Return the first of so many free ports in a row."""
    while True:
        first = free_port()
        if all(_is_free(first + number) for number in range(count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def total(pages: Iterable[str], name: str, *by: str) -> Counter[tuple[str, ...]]:
    """Return the sum of a series over several workers, by these labels; what is 0 is left out."""
    sums: Counter[tuple[str, ...]] = Counter()
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == name and sample.value:
                    sums[tuple(sample.labels[label] for label in by)] += sample.value
    return sums
