"""What is known of one sample, as text for a person; what strangers wrote in it cannot steer a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from db.categories import with_alias
from db.errors import one_line

LONGEST_LINE = 20_000
NAME_WIDTH = 13
_KEPT_ELSEWHERE = ("criteria", "reasoning", "reply")


def sample_lines(shown: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of what `producer.one_sample.data` returns."""
    sample = shown["sample"]
    yield _harmless(f"sample {sample['key']} of {with_alias(sample['category'])}")
    run = f"{shown['run']}  {shown['benchmark']}  {shown['editor']}"
    yield from _entries(run=run, instruction=sample["instruction"], description=sample["description"])
    yield from _entries(**{"right result": sample["reference_text"], "fields": _json(sample["fields"])})
    for source in (sample["source_image"], *sample["more_sources"]):
        yield from _entries(source=_image(source))
    yield from _entries(reference=_image(sample["reference_image"]))
    for edit in shown["edits"]:
        yield ""
        yield from _edit(edit)


def _edit(edit: Mapping[str, Any]) -> Iterator[str]:
    yield _harmless(f"edit, repeat {edit['repeat']}: {_outcome(edit)}")
    yield from _entries(seed=edit["seed"], image=_image(edit["image"]), **{"made for run": edit["made_for"]})
    yield from _job(edit)
    for score in edit["scores"]:
        again = f" #{score['repeat']}" if score["repeat"] else ""
        value = f" {score['value']:.2f}" if score["value"] is not None else ""
        yield _harmless(f"  score by {score['scorer']}{again}:{value} {_outcome(score)}")
        criteria = ", ".join(f"{name} {value}" for name, value in (score["criteria"] or {}).items())
        yield from _entries(2, criteria=criteria, reasoning=score["reasoning"], reply=score["reply"])
        yield from _job(score, depth=2)


def _outcome(job: Mapping[str, Any]) -> str:
    failure = job["failure"]
    return f"{job['state']}, {failure['kind']}: {failure['reason']}" if failure else str(job["state"])


def _job(job: Mapping[str, Any], depth: int = 1) -> Iterator[str]:
    seconds = f", {job['seconds']:.3f} s of the model" if job["seconds"] is not None else ""
    retried = ", done again by a person's wish" if job["retried"] else ""
    tried = f"{job['attempt']}{retried}" + (f", on {job['worker']}" if job["worker"] else "") + seconds
    times = " to ".join(time for time in (job["started"], job["finished"]) if time)
    rest = {name: value for name, value in (job["detail"] or {}).items() if name not in _KEPT_ELSEWHERE}
    yield from _entries(depth, attempt=tried, time=times, detail=_json(rest), environment=_json(job["environment"]))
    yield from _entries(depth, **{"last words": job["last_words"]})


def _image(image: Mapping[str, Any] | None) -> str | None:
    if image is None:
        return None
    fault = f"\n{image['fault']} in the image store" if image["fault"] else ""
    return f"{image['digest']}\n{image['path']}{fault}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


def _entries(depth: int = 1, /, **named: Any) -> Iterator[str]:
    """Yield each entry behind its name, its lines below one another; what is not known is left out."""
    margin = "  " * depth
    for name, value in named.items():
        if value is None or value == "":
            continue
        first, *others = str(value).splitlines() or [""]
        yield _harmless(f"{margin}{name:{NAME_WIDTH}} {first}")
        yield from (_harmless(f"{margin}{'':{NAME_WIDTH}} {line}") for line in others)


def _harmless(line: str) -> str:
    return one_line(line, longest=LONGEST_LINE)
