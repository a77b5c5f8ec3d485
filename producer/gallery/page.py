"""The page itself: template, style sheets, scripts and data in one HTML file that may do nothing but show them.

Its Content-Security-Policy lets run only what is hashed here, and load only images from the disk or from within.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from db.categories import ENGLISH_ALIASES
from producer.comparison.schema import Comparison
from producer.gallery.harmless import data_block, harmless, harmless_all
from producer.gallery.summary import summaries
from producer.gallery.words import english, label, word, words
from producer.report.grid import chance, number, percentage, signed
from producer.report.schema import Report

ASSETS = Path(__file__).parent / "assets"

STYLES = ("tokens", "page", "summary", "cards", "sample", "print")
EARLY_SCRIPTS = ("early",)
SCRIPTS = (
    *("words", "elements", "data", "selection", "pictures"),
    *("cards", "slider", "verdicts", "fullsize", "sample", "start"),
)
"""The files of `assets/` in the order in which they are put together; a script may use what stands before it."""


def page(
    reports: Sequence[Report],
    content: dict[str, Any],
    embedded: Sequence[str | None] | None,
    comparison: Comparison | None,
) -> str:
    """Return the HTML. `embedded` holds the thumbnails as data: URIs by place; None: they are files beside it."""
    style, early, script = _joined(STYLES, "css"), _joined(EARLY_SCRIPTS, "js"), _joined(SCRIPTS, "js")
    template = _environment().get_template("gallery.html.j2")
    return template.render(
        reports=reports,
        scorers=summaries(reports),
        comparison=comparison,
        places={report.run: place for place, report in enumerate(reports)},
        policy=_policy([style], [early, script], "file: data:" if embedded is None else "data:"),
        style=Markup(style),
        early=Markup(early),
        script=Markup(script),
        words=data_block(words()),
        content=data_block(harmless_all(content)),
        embedded=None if embedded is None else data_block(embedded),
    )


def _joined(names: Sequence[str], suffix: str) -> str:
    return "\n".join((ASSETS / f"{name}.{suffix}").read_text(encoding="utf-8") for name in names)


def _policy(styles: Sequence[str], scripts: Sequence[str], images: str) -> str:
    """Return the Content-Security-Policy; inline style and script count by the digest of what the page holds."""
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(map(_source, scripts)),
        "style-src": " ".join(map(_source, styles)),
        "img-src": images,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(word=word, label=label, english=english, tag=tag)
    environment.filters.update(
        number=number, percent=percentage, moment=_moment, as_json=_as_json, signed=signed, chance=chance
    )
    environment.filters["alias"] = ENGLISH_ALIASES.get
    return environment


def tag(run: int) -> str:
    """Return the letter by which the page calls a run beside others."""
    return chr(ord("A") + run) if run < 26 else str(run + 1)


def _shown(value: Any) -> Any:
    """Make whatever the template writes harmless; Markup is its own and our functions', which have done so."""
    return harmless(value) if type(value) is str else value


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
