"""The side that works: Celery workers that own one GPU each. `celery -A workers` finds the app here."""

import sys

from db.errors import FarmError

try:
    import celeryconfig  # noqa: F401 - Celery reads it late, where the command would show a traceback for a bad broker
    from workers.app import app as celery
except FarmError as error:  # a setting that does not hold; the `celery` command would show its traceback
    sys.stderr.write(f"error: {error}\n")
    sys.exit(error.exit_code)

__all__ = ["celery"]
