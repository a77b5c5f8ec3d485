"""MagicBrush's development and test sets as they are downloaded: a list of turns in JSON beside a folder of images.

    test/edit_turns.json               [{"input": "9-input.png", "mask": ..., "output": "9-output1.png", ...}, ...]
    test/images/9/9-input.png, 9-mask1.png, 9-output1.png, ...

A turn becomes a record with the columns of the data set on the Hub, images by their paths. Its number is nowhere but in
the name of its output. Where `edit_turns.json` is missing, the turns are those of `edit_sessions.json`, in its order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from db.errors import BenchmarkInvalid, one_line
from db.prompts import OwnPrompt
from producer.benchmark.files import open_regular
from producer.benchmark.record import Record
from producer.benchmark.sample import Fault, kind_of

TURNS = "edit_turns.json"
SESSIONS = "edit_sessions.json"
IMAGES = "images"

_OUTPUT = re.compile(r"(.+)-output([1-9]\d{0,3})\.\w+")
_IMAGE_COLUMNS = {"input": "source_img", "mask": "mask_img", "output": "target_img"}


class MagicBrushFolder:
    """The turns of a downloaded folder. Raises BenchmarkInvalid where it has no list of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lists = [path / name for name in (TURNS, SESSIONS) if (path / name).exists()]
        if not lists:
            raise BenchmarkInvalid(f"{path}: holds neither {TURNS} nor {SESSIONS}")
        self._turns = lists[0]

    @property
    def path(self) -> Path:
        """Where the folder is."""
        return self._path

    @property
    def name(self) -> str:
        """The name of the data set and of the folder."""
        return f"MagicBrush {self._path.resolve().name}"

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """None: it has none."""
        return {}

    def columns(self) -> tuple[str, ...]:
        """Return the columns of the data set on the Hub."""
        return ("img_id", "turn_index", *_IMAGE_COLUMNS.values(), "instruction")

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the turns in their order."""
        last = "the beginning"
        try:
            with open_regular(self._turns) as file:
                for place, turn in self._listed(file):
                    last = place
                    yield self._record(place, turn)
        except OSError as error:
            yield Fault(self._turns.name, f"cannot be read: {error.strerror}")
        except (ijson.JSONError, UnicodeDecodeError) as error:
            yield Fault(f"after {last}", f"is not valid JSON: {one_line(' '.join(str(error).split()), longest=200)}")

    def _listed(self, file: BinaryIO) -> Iterator[tuple[str, Any]]:
        if self._turns.name == TURNS:
            turns = ijson.items(file, "item", use_float=True)
            yield from ((f"turn {number}", turn) for number, turn in enumerate(turns, start=1))
            return
        for name, session in ijson.kvitems(file, "", use_float=True):
            turns = session if isinstance(session, list) else [session]
            yield from ((f"session {name} turn {number}", turn) for number, turn in enumerate(turns, start=1))

    def _record(self, place: str, turn: object) -> Record | Fault:
        if not isinstance(turn, Mapping):
            return Fault(place, f"expected an object, found {kind_of(turn)}")
        output = turn.get("output")
        named = _OUTPUT.fullmatch(output) if isinstance(output, str) else None
        if named is None:
            return Fault(place, "output: expected a name such as 123-output1.png")
        folder = f"{IMAGES}/{named[1]}"
        images = {
            column: f"{folder}/{turn[part]}"
            for part, column in _IMAGE_COLUMNS.items()
            if isinstance(turn.get(part), str)
        }
        values = {"img_id": named[1], "turn_index": int(named[2]), **images, "instruction": turn.get("instruction")}
        return Record(place, values, self._path)
