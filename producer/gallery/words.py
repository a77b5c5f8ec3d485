"""The page's own words in English and Chinese: written in English, and marked so that JavaScript can change them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup

from producer.gallery.harmless import harmless_all

_FILE = Path(__file__).parent / "assets" / "words.json"


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Return every word by its name: `en` and `zh`; `{n}` in one stands for a value."""
    known: dict[str, dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return known


def english(name: str, **values: object) -> str:
    """Return a word in English, its values filled in."""
    return words()[name]["en"].format(**values)


def word(name: str, **values: object) -> Markup:
    """Return a word as an element that follows the chosen language."""
    shown = harmless_all(values)
    filled = Markup('data-values="{}"').format(json.dumps(shown, ensure_ascii=False)) if values else Markup("")
    return Markup('<span data-word="{}" {}>{}</span>').format(name, filled, english(name, **shown))


def label(name: str) -> Markup:
    """Return the attributes that give an element its accessible name in the chosen language."""
    return Markup('data-label="{0}" aria-label="{1}"').format(name, english(name))
