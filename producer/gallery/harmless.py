"""Text from outside, made so that a page may show it: nothing in it acts, and nothing of it is lost.

Escaping for HTML is not done here: Jinja and the page's `textContent` do it where the text is used.
"""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup

# Controls, halves of surrogate pairs, line separators, and the marks that turn the direction of writing for what
# follows: one that closes an isolate would reach out of the element that isolates the text.
_ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def harmless(text: str) -> str:
    """Return the text with what acts written out, as Python writes it: a NUL as `\\x00`; line breaks and tabs stay."""
    return _ACTS.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))


def harmless_all(value: Any) -> Any:
    """Return plain data with every text in it harmless, names included."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(str(name)): harmless_all(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [harmless_all(item) for item in value]
    return value


def data_block(value: Any) -> Markup:
    """Return the value as JSON for the inside of a `<script type="application/json">`, which no text can close."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))


_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
