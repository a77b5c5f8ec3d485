"""MagicBrush as it is downloaded: its two kinds of lists, and where in the file a fault stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from producer.benchmark import open_benchmark
from producer.benchmark.formats.magicbrush_folder import SESSIONS, TURNS
from producer.benchmark.sample import Fault, Sample
from tests.factories import png

FIRST = {"input": "9-input.png", "mask": "9-mask1.png", "output": "9-output1.png", "instruction": "add a kite"}
SECOND = {"input": "9-output1.png", "mask": "9-mask2.png", "output": "9-output2.png", "instruction": "make it red"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the images of one session, and no list of turns yet."""
    folder = tmp_path / "dev"
    (folder / "images" / "9").mkdir(parents=True)
    for name, colour in (("9-input", "red"), ("9-output1", "green"), ("9-output2", "blue")):
        (folder / "images" / "9" / f"{name}.png").write_bytes(png(colour=colour))
    return folder


def read(folder: Path, name: str, content: Any) -> list[Sample | Fault]:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text, encoding="utf-8")
    return list(open_benchmark(folder))


def faults(folder: Path, name: str, content: Any) -> list[str]:
    return [str(item) for item in read(folder, name, content) if isinstance(item, Fault)]


@pytest.mark.parametrize(("name", "content"), [(TURNS, [FIRST, SECOND]), (SESSIONS, {"9": [FIRST, SECOND]})])
def test_turns_are_read_from_either_list(folder: Path, name: str, content: Any) -> None:
    one, two = read(folder, name, content)

    assert isinstance(one, Sample)
    assert isinstance(two, Sample)
    assert [(each.key, each.category) for each in (one, two)] == [("9-1", "turn 1"), ("9-2", "turn 2")]
    assert (two.source, two.reference) == (png(colour="green"), png(colour="blue"))
    assert open_benchmark(folder).name == "MagicBrush dev"


def test_a_session_of_one_turn_needs_no_list(folder: Path) -> None:
    (one,) = read(folder, SESSIONS, {"9": FIRST})

    assert isinstance(one, Sample)
    assert one.place == "session 9 turn 1 at byte 6 (9-1)"


def test_turns_are_read_rather_than_sessions(folder: Path) -> None:
    (folder / SESSIONS).write_text("{}", encoding="utf-8")

    assert len(read(folder, TURNS, [FIRST])) == 1


def test_a_fault_stands_at_the_byte_of_its_turn(folder: Path) -> None:
    content = json.dumps([{**FIRST, "output": "9.png"}, 7, {**SECOND, "input": "none.png"}])

    unnamed, number, absent = faults(folder, TURNS, content)

    assert unnamed == "turn 1 at byte 1: output: expected a name such as 123-output1.png"
    assert number == "turn 2 after byte 1: expected an object, found a number"
    byte = content.rindex("{")
    assert absent.startswith(f"turn 3 at byte {byte} (9-2): source_img: 'images/9/none.png' cannot be read: ")


def test_a_list_that_breaks_off_is_told_with_its_byte(folder: Path) -> None:
    content = json.dumps([FIRST, SECOND])[:-30]

    assert faults(folder, TURNS, content) == [
        f"after turn 1, at byte {len(content)}: is not valid JSON: parse error: premature EOF"
    ]


def test_a_list_in_another_encoding_is_told_in_plain_words(folder: Path) -> None:
    (folder / TURNS).write_bytes(json.dumps([FIRST]).encode("utf-16"))

    (fault,) = list(open_benchmark(folder))

    assert str(fault) == (
        "after the beginning, at byte 0: is UTF-16, as byte 0 (0xFF) and the next say; save the file as UTF-8"
    )


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (TURNS, {"9": [FIRST]}, f"{TURNS}: expected a list of turns"),
        (SESSIONS, [FIRST], f"{SESSIONS}: expected an object of sessions, each a list of turns"),
        (TURNS, "5", f"{TURNS}: expected a list of turns"),
    ],
)
def test_a_list_of_another_kind_is_one_fault(folder: Path, name: str, content: Any, expected: str) -> None:
    assert faults(folder, name, content) == [expected]


def test_a_long_name_of_a_session_leaves_room_for_what_is_wrong(folder: Path) -> None:
    (fault,) = faults(folder, SESSIONS, {"n" * 900: [7]})

    assert fault.endswith("expected an object, found a number")
