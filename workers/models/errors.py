"""How a model says that it could not do an item; whoever runs the item turns each into a kind of failure."""

from __future__ import annotations

from collections.abc import Mapping


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
