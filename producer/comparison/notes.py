"""What makes runs less alike than a comparison would have them: other judges, other prompts, other aggregates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from producer.comparison.differences import differences


def judging_notes(runs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield how scorers of one label differ between runs, given each run's configuration by its name.

    Each run is held against the first. How many are judged at once makes no other judge.
    """
    (first_name, first), *others = runs.items()
    for name, configuration in others:
        for label, options in _scorers(configuration).items():
            known = _scorers(first).get(label)
            if known is None:
                continue
            found = [one.path for one in differences(known, options) if one.path != "options.batch_size"]
            prompts = [path for path in found if path.startswith("options.prompts")]
            judge = [path for path in found if path not in prompts]
            if judge:
                yield f"scorer {label} is not the same in {first_name} and {name}: {', '.join(judge)} differ"
            if prompts:
                yield f"the prompts of scorer {label} differ between {first_name} and {name}"
        if configuration.get("aggregate") != first.get("aggregate"):
            yield f"dimensions become the overall value in other ways in {first_name} and {name}"


def _scorers(configuration: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {scorer["label"]: scorer for scorer in configuration["scorers"]}
