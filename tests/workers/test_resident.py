from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.catalogue import ModelSpec
from db.choice import ModelChoice
from db.options import EditorOptions
from tests.factories import configuration
from workers import resident as module
from workers.host import Host, HostTooSmall
from workers.models.errors import ModelFault
from workers.models.loading.host_memory import Memory
from workers.models.protocols import Model, Reserve
from workers.resident import CannotLoad, Resident

LARGE = 10**9


class Recorded(Model):
    """A model that notes what happens to it; `parks` and `needs` are set by the test."""

    events: list[str]
    parks = False
    needs = 0

    def __init__(self, options: Any) -> None:
        self.label = options.label
        self.events.append(f"load {self.label}")

    @classmethod
    def host_bytes(cls, options: Any) -> int:
        return cls.needs

    def park(self, reserve: Reserve) -> bool:
        if self.parks:
            self.events.append(f"park {self.label}")
        return self.parks

    def wake(self) -> None:
        self.events.append(f"wake {self.label}")

    def close(self) -> None:
        self.events.append(f"close {self.label}")

    def facts(self) -> dict[str, object]:
        return {"label": self.label}


class Labelled(EditorOptions):
    label: str = ""


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Recorded]]:
    """The class of every model that is loaded."""

    class Fresh(Recorded):
        events: list[str] = []  # noqa: RUF012 - one list per test, as the class is

    spec = ModelSpec(backend=f"{__name__}:Fresh", options=Labelled, summary="noted")
    monkeypatch.setattr(module, "find_spec", lambda role, name: spec)
    monkeypatch.setattr(module, "load_options", lambda role, choice: Labelled(label=choice.label))
    monkeypatch.setattr(module.importlib, "import_module", lambda name: type("Module", (), {"Fresh": Fresh}))
    yield Fresh


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, loads_at_once=1, reserve_bytes=0)


def choice(label: str) -> ModelChoice:
    return ModelChoice(name="simulated", label=label, options={})


def test_a_model_stays_until_another_is_asked_for(host: Host, recorded: type[Recorded]) -> None:
    resident = Resident(host)

    first = resident.editor(choice("a"))
    again = resident.editor(choice("a"))
    resident.scorer(choice("b"))

    assert first is again
    assert recorded.events == ["load a", "close a", "load b"]


def test_the_same_name_as_editor_and_as_scorer_are_two_models(host: Host, recorded: type[Recorded]) -> None:
    resident = Resident(host)

    resident.editor(choice("simulated"))
    resident.scorer(choice("simulated"))

    assert recorded.events == ["load simulated", "close simulated", "load simulated"]


def test_a_parked_model_is_woken_and_not_loaded_again(host: Host, recorded: type[Recorded]) -> None:
    recorded.parks = True
    resident = Resident(host)

    editor = resident.editor(choice("a"))
    resident.scorer(choice("b"))
    assert resident.editor(choice("a")) is editor

    assert recorded.events == ["load a", "park a", "load b", "park b", "wake a"]


def test_parked_models_make_room_for_one_that_must_be_loaded(tmp_path: Path, recorded: type[Recorded]) -> None:
    recorded.parks, recorded.needs = True, LARGE
    free = [LARGE]
    host = Host(tmp_path, loads_at_once=1, reserve_bytes=0, memory=lambda: Memory(4 * LARGE, free[0]))
    resident = Resident(host)
    resident.editor(choice("a"))

    def close(self: Recorded) -> None:
        self.events.append(f"close {self.label}")
        free[0] = LARGE

    recorded.close = close  # type: ignore[method-assign]
    free[0] = LARGE // 2  # what "a" took
    resident.editor(choice("b"))

    assert recorded.events == ["load a", "park a", "close a", "load b"]


def test_closing_gives_up_the_resident_and_the_parked(host: Host, recorded: type[Recorded]) -> None:
    recorded.parks = True
    resident = Resident(host)
    resident.editor(choice("a"))
    resident.editor(choice("b"))

    resident.close()

    assert sorted(recorded.events[-2:]) == ["close a", "close b"]


def test_the_facts_are_those_of_the_resident_model_and_of_the_machine(host: Host, recorded: type[Recorded]) -> None:
    resident = Resident(host)

    resident.editor(choice("a"))
    first = resident.facts()
    resident.editor(choice("b"))

    assert (first["model"], resident.facts()["model"]) == ({"label": "a"}, {"label": "b"})
    assert "pillow" in first["libraries"] and first["device"]  # type: ignore[operator]


def test_a_model_that_fills_no_gpu_displaces_nothing(
    host: Host, recorded: type[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = module.find_spec(module.Role.SCORER, "any")
    monkeypatch.setattr(module, "find_spec", lambda role, name: replace(gpu, fills_gpu=name != "arithmetic"))
    light = ModelChoice(name="arithmetic", label="psnr", options={})
    resident = Resident(host)

    for one in (choice("judge"), light, choice("judge"), light):
        resident.scorer(one)

    assert recorded.events == ["load judge", "load psnr"]
    assert resident.facts()["model"] == {"label": "psnr"}


def test_loading_is_shown(host: Host, recorded: type[Recorded]) -> None:
    shown: list[str] = []

    Resident(host, show=shown.append).editor(choice("a"))

    assert shown == ["fetching", "loading"]


def test_the_options_reach_the_backend(host: Host) -> None:
    editor: Any = Resident(host).editor(configuration(editor={"name": "simulated", "width": 3, "seconds": 0}).editor)

    assert editor._options.width == 3


@pytest.mark.parametrize(
    ("error", "may_pass"),
    [
        (FileNotFoundError("weights are gone"), True),
        (ModelFault("takes no size"), False),
        (HostTooSmall("loading takes too much", for_good=True), False),
        (HostTooSmall("loading takes too much", for_good=False), True),
    ],
)
def test_a_backend_that_cannot_be_built_names_itself_and_the_cause(
    host: Host, monkeypatch: pytest.MonkeyPatch, error: Exception, may_pass: bool
) -> None:
    def broken(self: Any, options: Any) -> None:
        raise error

    monkeypatch.setattr("workers.models.simulated.SimulatedEditor.__init__", broken)

    with pytest.raises(CannotLoad, match=f"editor 'simulated' .* be loaded: .*{error}") as caught:
        Resident(host).editor(configuration().editor)

    assert caught.value.may_pass is may_pass


def test_a_package_of_the_extra_gpu_that_is_not_there_is_told_how_to_be_had(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, options: Any) -> None:
        raise ModuleNotFoundError("No module named 'diffusers'", name="diffusers")

    monkeypatch.setattr("workers.models.simulated.SimulatedEditor.__init__", broken)

    with pytest.raises(CannotLoad, match=r"No module named 'diffusers': pip install 'editfarm\[gpu\]'$"):
        Resident(host).editor(configuration().editor)


def test_what_can_never_be_loaded_is_tried_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def broken(self: Any, options: Any) -> None:
        tries.append(1)
        raise ModelFault("takes no size")

    monkeypatch.setattr("workers.models.simulated.SimulatedEditor.__init__", broken)
    resident = Resident(host)

    for _ in range(3):
        with pytest.raises(CannotLoad, match="takes no size"):
            resident.editor(configuration().editor)

    assert len(tries) == 1


def test_what_is_known_to_be_refused_displaces_nothing(host: Host, recorded: type[Recorded]) -> None:
    healthy = recorded.__init__

    def broken(self: Any, options: Any) -> None:
        raise ModelFault("takes no size")

    resident = Resident(host)
    recorded.__init__ = broken  # type: ignore[method-assign]
    with pytest.raises(CannotLoad):
        resident.editor(choice("bad"))
    recorded.__init__ = healthy  # type: ignore[method-assign]
    resident.editor(choice("good"))
    with pytest.raises(CannotLoad):
        resident.editor(choice("bad"))
    resident.editor(choice("good"))

    assert recorded.events == ["load good"]


def test_a_model_that_cannot_be_parked_is_closed(host: Host, recorded: type[Recorded]) -> None:
    def broken(self: Any, reserve: Reserve) -> bool:
        raise RuntimeError("cannot pin")

    recorded.park = broken  # type: ignore[method-assign]
    resident = Resident(host)
    resident.editor(choice("a"))
    resident.editor(choice("b"))

    assert recorded.events == ["load a", "close a", "load b"]


def test_a_model_that_cannot_be_woken_is_closed_and_loaded_the_next_time(host: Host, recorded: type[Recorded]) -> None:
    def broken(self: Any) -> None:
        raise RuntimeError("no room on the device")

    recorded.parks = True
    resident = Resident(host)
    resident.editor(choice("a"))
    resident.editor(choice("b"))
    recorded.wake = broken  # type: ignore[method-assign]

    with pytest.raises(CannotLoad, match="no room on the device"):
        resident.editor(choice("a"))
    resident.editor(choice("a"))

    assert recorded.events == ["load a", "park a", "load b", "park b", "close a", "load a"]


def test_a_failed_load_leaves_the_device_free_for_the_next(host: Host, recorded: type[Recorded]) -> None:
    resident = Resident(host)
    resident.editor(choice("a"))
    healthy = recorded.__init__

    def broken(self: Any, options: Any) -> None:
        raise OSError("disk")

    recorded.__init__ = broken  # type: ignore[method-assign]
    with pytest.raises(CannotLoad):
        resident.editor(choice("b"))
    recorded.__init__ = healthy  # type: ignore[method-assign]
    resident.editor(choice("a"))

    assert recorded.events == ["load a", "close a", "load a"]
