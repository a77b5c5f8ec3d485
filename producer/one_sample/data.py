"""All that is known of one sample of a run, as data: what was asked, each edit of it, and each score of those."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Row

from db.images import ImageStore
from db.one_sample import Sample, edits_of_sample, find_sample, scores_of_edit
from db.queries import Run
from db.seeds import edit_seed


def sample_data(engine: Engine, images: ImageStore, run: Run, given: str) -> dict[str, Any]:
    """Return what the ledger and the store know of a sample. Raises UnknownSample, and WrongCall for several."""
    sample = find_sample(engine, run.id, given)
    return {
        "run": run.id,
        "benchmark": run.benchmark_name,
        "editor": run.configuration["editor"]["label"],
        "sample": {
            "key": sample.key,
            "category": sample.category,
            "position": sample.position,
            "instruction": sample.instruction,
            "description": sample.description,
            "source_image": _image(images, sample.source_image),
            "more_sources": [_image(images, digest) for digest in sample.more_sources.split()],
            "reference_image": _image(images, sample.reference_image),
            "reference_text": sample.reference_text,
            "fields": sample.fields or {},
        },
        "edits": [_edit(engine, images, run, sample, row) for row in edits_of_sample(engine, run.id, sample.id)],
    }


def _edit(engine: Engine, images: ImageStore, run: Run, sample: Sample, row: Row[Any]) -> dict[str, Any]:
    made_here = not (run.is_given or run.is_imported)
    return {
        "repeat": row.repeat,
        "seed": edit_seed(run.configuration["seed"], sample.key, row.repeat) if made_here else None,
        **_job(row),
        "made_for": row.made_for,
        "image": _image(images, row.image),
        "scores": [_score(score) for score in scores_of_edit(engine, row.id)],
    }


def _score(row: Row[Any]) -> dict[str, Any]:
    said = row.detail or {}
    return {
        "scorer": row.label,
        "repeat": row.judge_repeat,
        "value": row.value,
        "criteria": said.get("criteria"),
        "reasoning": said.get("reasoning"),
        "reply": said.get("reply"),
        **_job(row),
    }


def _job(row: Row[Any]) -> dict[str, Any]:
    """Return what edits and scores have in common."""
    return {
        "id": row.id,
        "state": row.state,
        "attempt": row.attempt,
        "retried": row.retried,
        "worker": row.worker,
        "started": _time(row.started_at),
        "finished": _time(row.finished_at),
        "seconds": row.seconds,
        "failure": _failure(row),
        "last_words": row.last_words,
        "detail": row.detail,
        "environment": row.facts,
    }


def _failure(row: Row[Any]) -> Mapping[str, str] | None:
    return {"kind": row.failure_kind, "reason": row.failure_reason} if row.failure_kind is not None else None


def _image(images: ImageStore, digest: str | None) -> dict[str, Any] | None:
    """Return where an image lies, and what is wrong with it: null where nothing is."""
    if digest is None:
        return None
    return {"digest": digest, "path": images.place(digest), "fault": images.fault(digest)}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
