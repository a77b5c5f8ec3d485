"""What Hugging Face's library raises, as one line each.

Its own words are not repeated: they name addresses that may be signed, and a token that no header can hold.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from db.errors import BenchmarkInvalid, FarmError, ServiceUnreachable, WrongCall

_REFUSED = (401, 403)
_NO_SPACE = "No space left on device"
"""As the library's downloader of large files says it, in an error without a number."""


class UnknownRevision(BenchmarkInvalid):
    """The data set is there, but not at this revision."""


def require_hub() -> None:
    """Raise WrongCall that says how to install what speaking to the Hub needs, where it is missing or too old."""
    try:
        from huggingface_hub import get_cached_repo_tree, metadata_load, resolve_revision  # noqa: F401
    except ImportError as error:
        raise WrongCall("reading a data set of the Hub needs pip install 'editfarm[hf]'") from error


def require_sendable_token() -> None:
    """Raise WrongCall where the token cannot be sent: the library would then tell it to everybody."""
    from huggingface_hub import get_token

    token = get_token() or ""
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise WrongCall("the Hub's token, from HF_TOKEN or `hf auth login`, has characters that no token has")


@contextmanager
def told(what: str, revision: str | None = None) -> Iterator[None]:
    """Raise what the library raises as one line about `what`: a data set's id, or a file of it.

    WrongCall for what is no id; BenchmarkInvalid where the Hub does not have it or does not give it, UnknownRevision
    where only the revision is lacking; ServiceUnreachable where it does not answer; FarmError for a full disk.
    """
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise BenchmarkInvalid(
            f"{what} is gated: ask for access on its page of the Hub, then set HF_TOKEN to a token of yours"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UnknownRevision(f"{what}: the Hub has no revision {revision or 'main'!r} of it") from error
    except errors.RepositoryNotFoundError as error:
        raise BenchmarkInvalid(
            f"{what}: the Hub has no such data set, or it is private: then set HF_TOKEN to a token that may read it"
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise BenchmarkInvalid(f"{what}: the Hub has listed it, but does not have it") from error
    except errors.HFValidationError as error:
        raise WrongCall(f"{what}: is no id of a data set on the Hub; expected OWNER/NAME") from error
    except (
        errors.HTTPError,
        errors.RevisionResolutionError,
        errors.CachedRepoTreeNotFoundError,
        errors.XetDownloadError,
        *(OSError, RuntimeError),
    ) as error:
        raise _not_fetched(what, error) from error
    except (ValueError, LookupError, TypeError, AssertionError) as error:
        raise ServiceUnreachable(f"{what}: {_host()} does not answer as the Hub does; look at HF_ENDPOINT") from error


def _refusal(what: str, status: int) -> FarmError:
    if status in _REFUSED:
        return BenchmarkInvalid(f"{what}: the Hub refuses to give it ({status}); does HF_TOKEN hold a valid token?")
    return ServiceUnreachable(f"{what}: {_host()} answers with status {status}; try again later")


def _not_fetched(what: str, error: BaseException) -> FarmError:
    """Return what to say of an error, or of that which it came from: an answer without a reason, or none."""
    from huggingface_hub import constants, errors

    causes = [*_causes(error)]
    for cause in causes:
        if isinstance(cause, errors.HfHubHTTPError):
            return _refusal(what, cause.response.status_code)
        if getattr(cause, "errno", None) == errno.ENOSPC or _NO_SPACE in str(cause):
            return FarmError(f"{what} cannot be kept in {constants.HF_HUB_CACHE}: {_NO_SPACE}; HF_HOME says where")
    if constants.is_offline_mode():
        return ServiceUnreachable(f"{what}: HF_HUB_OFFLINE is set, and not all of it is in {constants.HF_HUB_CACHE}")
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return FarmError(f"{error.filename}: {error.strerror}")
    reasons = (cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror)
    reason = next(reasons, type(causes[-1]).__name__)
    return ServiceUnreachable(
        f"{what} cannot be fetched from {_host()}: {reason}; HF_HUB_OFFLINE=1 takes it from the cache, if it is there"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _host() -> str:
    """Return the name of the Hub's host, without what else HF_ENDPOINT may hold."""
    from huggingface_hub import constants

    return urlsplit(constants.ENDPOINT).hostname or "the Hub"
