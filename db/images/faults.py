"""What an image store in a bucket may raise, told in one line: the server is away, or it refuses.

Both are OSErrors, as of a folder: whoever outlasts a disk outlasts them.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import StoreAway, StoreRefused, first_line

_NO_BUCKET = "NoSuchBucket"
_NOT_CONFIGURED = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "ProfileNotFound",
        "ParamValidationError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "InvalidRegionError",
        "DefaultCredentialsError",
        "ValueError",  # an endpoint that is no URL
    }
)
"""Errors of the protocols' packages, by name, that come before any request."""

_NOT_TAKEN = frozenset({errno.EINVAL, errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EREMCHG})
"""What s3fs makes of answers that would be the same another time: a malformed name, another region, no right."""


@contextmanager
def naming_faults(store: str) -> Iterator[None]:
    """Raise StoreAway or StoreRefused for what goes wrong within the block; FileNotFoundError where only a name is not.

    What is neither an OSError nor an error of a package's own is a bug, and passes.
    """
    try:
        yield
    except Exception as error:
        named = _named(store, error)
        if named is None:
            raise
        raise named from error


def _named(store: str, error: Exception) -> OSError | None:
    said = re.sub(r"//[^/@\s]*@", "//***@", getattr(error, "strerror", None) or first_line(error))
    if _code(error) == _NO_BUCKET:
        return StoreRefused(f"the image store {store} has no bucket: {said}")
    if isinstance(error, FileNotFoundError | StoreAway | StoreRefused):
        return None
    if {kind.__name__ for kind in type(error).__mro__} & _NOT_CONFIGURED:
        return StoreRefused(f"the image store {store} cannot be asked: {said}")
    if isinstance(error, OSError) and (isinstance(error, PermissionError) or error.errno in _NOT_TAKEN):
        return StoreRefused(f"the image store {store} refuses: {said}")
    if isinstance(error, TimeoutError):
        return StoreAway(f"the image store {store} does not answer in time")
    if isinstance(error, OSError) or type(error).__module__ != "builtins":
        return StoreAway(f"the image store {store} does not answer: {said}")
    return None


def _code(error: Exception) -> object:
    """Return what S3 calls the error; s3fs keeps its answer as the cause."""
    answer = getattr(error.__cause__, "response", None)
    return answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
