"""The border at which whatever a job may raise becomes a failure with a kind and a reason; nothing below swallows any.

Two things pass it: DeviceBroken, after which nothing more can be done here, and Withdrawn, when nobody wants the job.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog

from db.errors import ImageFault
from db.images import ImageMissing
from db.jobs import Claim, Failure
from db.tables import FailureKind
from workers.job_ids import ids
from workers.models.errors import (
    InputFault,
    ModelFault,
    OutOfMemory,
    Refused,
    ServiceFault,
    Unparsed,
    broken_device,
)
from workers.resident import CannotLoad

log = structlog.get_logger()

LONGEST_REASON = 2000
"""Characters of a failure's reason that are kept."""

_KINDS: tuple[tuple[type[Exception], FailureKind, bool], ...] = (
    (InputFault, FailureKind.INPUT, False),
    (ImageFault, FailureKind.INPUT, False),
    (OutOfMemory, FailureKind.OUT_OF_MEMORY, False),
    (MemoryError, FailureKind.OUT_OF_MEMORY, False),
    (Unparsed, FailureKind.UNPARSED, False),
    (Refused, FailureKind.REFUSED, False),
    (ServiceFault, FailureKind.SERVICE, True),
    (ModelFault, FailureKind.MODEL, False),
    (ImageMissing, FailureKind.STORE, True),
    (OSError, FailureKind.STORE, True),
)
"""What each fault is called, the particular before the general, and whether it may pass by itself."""


def failure_of(error: Exception, claim: Claim) -> Failure:
    """Name the kind of a fault. What may pass is tried again; an unexpected exception is logged with its traceback.

    So is one of a known kind, where somebody wants to know all (`workers.commands.replay`).
    """
    refuse_broken_device(error)
    reason = _plain(str(error).strip() or type(error).__name__)[:LONGEST_REASON]
    known = _known_fault(error, reason)
    tell = log.error if known is None else log.debug
    tell(f"{claim.stage}.error", **ids(claim), exc_info=error)
    return known or Failure(FailureKind.ERROR, f"{type(error).__name__}: {reason}")


def _known_fault(error: Exception, reason: str) -> Failure | None:
    if isinstance(error, CannotLoad):
        return Failure(FailureKind.MODEL, reason, again=error.may_pass)
    for kind_of_error, kind, again in _KINDS:
        if isinstance(error, kind_of_error):
            return Failure(kind, reason, again, detail=_detail_of(error))
    return None


def refuse_broken_device(error: Exception) -> None:
    """Raise DeviceBroken where the error says that the GPU fails: that is no outcome of a job."""
    if (broken := broken_device(error)) is not None:
        raise broken from error


def _detail_of(error: Exception) -> Mapping[str, object]:
    try:
        return storable(error.detail) if isinstance(error, ModelFault) else {}
    except ModelFault:
        return {}  # the reason stands without it


def _plain(text: str) -> str:
    """Return the text without what PostgreSQL or UTF-8 cannot hold: NULs, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def storable(detail: Mapping[str, object]) -> Mapping[str, object]:
    """Return the detail as every database stores it. Raises ModelFault for what is not JSON."""
    plain = {_plain(str(key)): _plain_within(value) for key, value in detail.items()}
    try:
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelFault(f"the model's detail cannot be stored: {error}") from error
    return plain


def _plain_within(value: object) -> object:
    match value:
        case str():
            return _plain(value)
        case Mapping():
            return {_plain(str(key)): _plain_within(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain_within(item) for item in value]
        case _:
            return value
