"""`python -m workers.metrics`: prints docs/reference/metrics.md."""

from __future__ import annotations

import sys

from workers.metrics.page import metrics_page

if __name__ == "__main__":
    sys.stdout.write(metrics_page())
