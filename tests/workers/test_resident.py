from __future__ import annotations

from typing import Any

import pytest

from db.configuration import ModelChoice
from tests.factories import configuration
from workers import resident as module
from workers.resident import CannotLoad, Resident


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was loaded and closed, in order; the models themselves are of no matter here."""
    events: list[str] = []

    class Model:
        def __init__(self, label: str) -> None:
            self.label = label

        def close(self) -> None:
            events.append(f"close {self.label}")

    def load(role: Any, choice: ModelChoice) -> Model:
        events.append(f"load {choice.label}")
        return Model(choice.label)

    monkeypatch.setattr(module, "_load", load)
    return events


def choice(label: str) -> ModelChoice:
    return ModelChoice(name="simulated", label=label, options={})


def test_a_model_stays_until_another_is_asked_for(loads: list[str]) -> None:
    resident = Resident()

    first = resident.editor(choice("a"))
    again = resident.editor(choice("a"))
    resident.scorer(choice("b"))

    assert first is again
    assert loads == ["load a", "close a", "load b"]


def test_the_same_name_as_editor_and_as_scorer_are_two_models(loads: list[str]) -> None:
    resident = Resident()

    resident.editor(choice("simulated"))
    resident.scorer(choice("simulated"))

    assert loads == ["load simulated", "close simulated", "load simulated"]


def test_the_options_reach_the_backend() -> None:
    editor: Any = Resident().editor(configuration(editor={"name": "simulated", "width": 3, "seconds": 0}).editor)

    assert editor._options.width == 3


def test_a_backend_that_cannot_be_built_names_itself_and_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, options: Any) -> None:
        raise FileNotFoundError("weights.safetensors")

    monkeypatch.setattr("workers.models.simulated.SimulatedEditor.__init__", broken)

    with pytest.raises(CannotLoad, match="editor 'simulated' could not be loaded: FileNotFoundError: weights"):
        Resident().editor(configuration().editor)
