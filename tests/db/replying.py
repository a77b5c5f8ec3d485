"""What is made of a judge's reply: a value, or why there is none."""

from __future__ import annotations

import pytest

from db.replies import Unreadable, read_reply


def value(reply: str, *, cut_off: bool = False) -> float:
    return read_reply(reply, cut_off=cut_off).value


def complaint(reply: str, *, cut_off: bool = False) -> str:
    """Return why no score could be read; the reply is kept beside every such reason."""
    with pytest.raises(Unreadable) as caught:
        read_reply(reply, cut_off=cut_off)
    return str(caught.value)
