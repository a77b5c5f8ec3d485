"""One worker without Celery's command line, which loads Flower and a shell into every process it starts.

`python -m workers` starts its workers so: each is smaller and ready sooner than by `celery -A workers worker`, and the
same in all else.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from celery.utils.nodenames import gethostname, nodename

from db.settings import settings
from workers.app import app


def main(name: str, queues: str) -> None:
    """Run the worker `name@host` on these queues until it is told to stop."""
    settings.cache_clear()  # a fork has its parent's, read before its own variables were set
    sys.argv = [__file__, name, queues]  # on SIGHUP Celery executes this anew, a fork as well
    with suppress(OSError):  # so that `ps` and `top` tell forks apart, on Linux
        Path("/proc/self/comm").write_text(name)
    worker = app.Worker(hostname=nodename(name, gethostname()), queues=queues, loglevel="INFO", quiet=True)
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main(*sys.argv[1:])
