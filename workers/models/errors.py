"""How a model says that it could not do an item; whoever runs the item turns each into a kind of failure or an end."""

from __future__ import annotations

from collections.abc import Mapping

from db.errors import first_line


class ModelFault(Exception):
    """An item ended without a result; the message is the reason shown in the report.

    `detail` is kept beside it (JSON values). Raised while a model is loaded it says that the model and its options do
    not go together, which no second try mends.
    """

    def __init__(self, reason: str, detail: Mapping[str, object] | None = None) -> None:
        super().__init__(reason)
        self.detail = detail or {}


class InputFault(ModelFault):
    """This sample cannot be worked on by this model: an instruction it does not know, a reference image missing."""


class OutOfMemory(ModelFault):
    """The device or the host has not enough memory for this item or batch."""


class Unparsed(ModelFault):
    """The judge answered, but its reply holds no score that can be read; the detail keeps the reply."""


class Refused(ModelFault):
    """The judge declined to answer; the detail keeps its words."""


class ServiceFault(ModelFault):
    """The server behind the model is down, busy or too slow; that may pass."""


class DeviceBroken(Exception):
    """The GPU fails, or its context in this process is lost: nothing more can be computed here."""


class Withdrawn(BaseException):
    """The item is no longer wanted. Raised by whoever is told of progress; no BaseException is caught on its way."""


_BROKEN = (
    "CUDA error",
    "HIP error",
    "CUDA driver",
    "cudaError",
    "CUBLAS_STATUS_",
    "CUDNN_STATUS_",
    "NCCL error",
    "device-side assert",
    "illegal memory access",
    "unspecified launch failure",
)
_NOT_BROKEN = ("out of memory", "ALLOC_FAILED", "ALLOCATION_FAILED", "NOT_SUPPORTED", "BAD_PARAM", "INVALID_VALUE")


def says_broken_device(text: str) -> bool:
    """Tell whether a message speaks of a GPU that fails."""
    return any(words in text for words in _BROKEN) and not any(words in text for words in _NOT_BROKEN)


def broken_device(error: BaseException) -> DeviceBroken | None:
    """Return what the error, or one that led to it, says of a GPU that fails; None where it is another kind of error.

    Only words tell: the libraries below torch raise plain RuntimeErrors. A lack of memory leaves the context whole.
    """
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        if isinstance(cause, DeviceBroken):
            return cause
        if isinstance(cause, RuntimeError) and says_broken_device(str(cause)):
            return DeviceBroken(f"{type(cause).__name__}: {first_line(cause)}")
        cause = cause.__cause__ or cause.__context__
    return None
