"""How a model says that it could not do an item; whoever runs the item turns each into a kind of failure."""

from __future__ import annotations


class ModelFault(Exception):
    """An item ended without a result; the message is the reason shown in the report."""


class InputFault(ModelFault):
    """This sample cannot be worked on by this model: an instruction it does not know, a reference image missing."""


class OutOfMemory(ModelFault):
    """The device or the host has not enough memory for this item or batch."""
