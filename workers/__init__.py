"""The side that works: Celery workers that own one GPU each. `celery -A workers` finds the app here."""

from workers.app import app as celery

__all__ = ["celery"]
