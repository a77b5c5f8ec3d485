"""Our own columns in every form that a file of records may have: what is read, and all that is wrong, at once."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from producer.benchmark.sample import Sample, Spot
from tests.factories import write_images
from tests.producer.benchmark.reading import (
    BOMB,
    CUT_SHORT,
    NO_IMAGE,
    NOT_CALLED,
    SAID_OF_BOMB,
    SAID_OF_CUT_SHORT,
    SAID_OF_NO_IMAGE,
    faults_in,
    found_in,
    samples_in,
    spots_in,
)
from tests.producer.benchmark.record_files import FORMS, Form, Row

every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
in_json = pytest.mark.parametrize("form", [one for one in FORMS.values() if not one.is_table], ids=lambda one: one.name)


def row(key: str, **fields: object) -> Row:
    """Return a good record; a field given as None is left out."""
    record = {"key": key, "category": "物理", "instruction": "make it rain", "image": "images/1.png", **fields}
    return {name: value for name, value in record.items() if value is not None}


# -- whole -------------------------------------------------------------------------------------------------------------


@every_form
def test_the_samples_of_a_whole_file(tmp_path: Path, form: Form) -> None:
    images = write_images(tmp_path, "images/1.png", "images/2 b.png")
    rows = [
        row("p-1", description="a street", reference_image="images/2 b.png"),
        row("p-2", category="社会", instruction='say "雨", and; \t nothing', image=None, reference_text="wet streets")
        | {"image_b64": base64.b64encode(images["images/2 b.png"]).decode()},
        row("p 3/x", instruction=" made\nof two lines "),
        row("p-4", category="社会"),
    ]
    path = form.file(tmp_path, rows)
    raw = path.read_bytes()
    places = [form.place(at, record, raw) for at, record in enumerate(rows)]
    if form.is_table:
        places[3] = "line 6"  # behind the row of two lines

    samples = samples_in(path)

    first, second = images["images/1.png"], images["images/2 b.png"]
    assert samples == [
        Sample(f"{places[0]} (p-1)", "p-1", "物理", "make it rain", "a street", first, second),
        Sample(
            f"{places[1]} (p-2)",
            *("p-2", "社会", 'say "雨", and; \t nothing', None, second, None),
            reference_text="wet streets",
        ),
        Sample(f"{places[2]} (p 3/x)", "p 3/x", "物理", "made\nof two lines", None, first, None),
        Sample(f"{places[3]} (p-4)", "p-4", "社会", "make it rain", None, first, None),
    ]
    assert [one.spot for one in samples] == [
        Spot(at + 1, one.key, form.byte(places[at])) for at, one in enumerate(samples)
    ]


@every_form
def test_a_file_by_any_other_name_is_read_by_its_content(tmp_path: Path, form: Form) -> None:
    write_images(tmp_path, "images/1.png")
    path = form.file(tmp_path, [row("p-1"), row("p-2")])
    samples = samples_in(path)

    assert samples_in(path.rename(tmp_path / "made up")) == samples
    assert samples_in((tmp_path / "made up").rename(tmp_path / "made up.txt")) == samples


@every_form
def test_a_byte_order_mark_is_passed_over(tmp_path: Path, form: Form) -> None:
    write_images(tmp_path, "images/1.png")
    path = form.file(tmp_path, [row("p-1"), row("p-2")])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert [sample.key for sample in samples_in(path)] == ["p-1", "p-2"]


# -- broken ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Broken:
    """A record that is wrong, and what is said of it: in a table, where nothing is left out, maybe something else."""

    fields: Row
    said: Sequence[str]
    in_table: Sequence[str] = field(default=())


BROKEN = {
    "no-instruction": Broken({"instruction": None}, [f"no instruction: {NOT_CALLED}"], ["instruction is empty"]),
    "blank": Broken({"instruction": " \t "}, ["instruction is empty"]),
    "long": Broken({"instruction": "x" * 20_001}, ["instruction has 20,001 characters; at most 20,000 are taken"]),
    "no-image": Broken({"image": "bad/none.png"}, [f"source image: {SAID_OF_NO_IMAGE}"]),
    "cut": Broken({"image": "bad/cut.png"}, [f"source image: {SAID_OF_CUT_SHORT}"]),
    "bomb": Broken({"image": "bad/bomb.png"}, [f"source image: {SAID_OF_BOMB}"]),
    "empty": Broken({"image": "bad/empty.png"}, ["source image: image is empty"]),
    "both": Broken(
        {"image": "bad/cut.png", "reference_image": "bad/none.png"},
        [f"source image: {SAID_OF_CUT_SHORT}", f"reference image: {SAID_OF_NO_IMAGE}"],
    ),
    "gone": Broken({"image": "gone.png"}, ["image: 'gone.png' cannot be read: No such file or directory"]),
    "folder": Broken({"image": "images"}, ["image: 'images' cannot be read: Is a directory"]),
    "up": Broken({"image": "../secret.png"}, ["image: '../secret.png' lies outside the benchmark's folder"]),
    "absolute": Broken({"image": "/etc/hostname"}, ["image: '/etc/hostname' lies outside the benchmark's folder"]),
    "base64": Broken({"image_b64": "QUJD!"}, ["image_b64: is not base64: Only base64 data is allowed"]),
    "cut64": Broken({"image_b64": "QUJDR"}, ["image_b64: is not base64: "]),
    "bidi\u202e": Broken({}, ["KEY contains a control character, '\\u202e'"]),
    "far": Broken({"reference_image": "../secret.png"}, ["reference_image: '../secret.png' lies outside the "]),
}


@every_form
def test_every_fault_of_a_broken_file_is_reported_at_once_at_its_place(tmp_path: Path, form: Form) -> None:
    folder = tmp_path / "benchmark"
    write_images(folder, "images/1.png")
    write_images(tmp_path, "secret.png")
    (folder / "bad").mkdir()
    for name, content in {"none": NO_IMAGE, "cut": CUT_SHORT, "bomb": BOMB, "empty": b""}.items():
        (folder / "bad" / f"{name}.png").write_bytes(content)
    rows = [
        row("good"),
        *(row(key) | broken.fields for key, broken in BROKEN.items()),
        row("good", description="again"),
    ]
    rows = [{name: value for name, value in one.items() if value is not None} for one in rows]
    path = form.file(folder, rows)
    raw = path.read_bytes()
    places = [f"{form.place(at, one, raw)} ({one['key']})" for at, one in enumerate(rows)]
    expected = [
        f"{place}: {said}"
        for place, broken in zip(places[1:], BROKEN.values(), strict=False)
        for said in (broken.in_table if form.is_table and broken.in_table else broken.said)
    ]
    expected.append(f"{places[-1]}: key 'good' of category '物理' was used before, at {places[0]}")

    faults = faults_in(path)

    assert len(faults) == len(expected)
    for fault, beginning in zip(faults, expected, strict=True):
        assert fault.startswith(beginning.replace("\u202e", "\\u202e").replace("KEY", form.key_is_called))
    positions = [at for at in range(1, len(rows)) for _ in range(2 if rows[at]["key"] == "both" else 1)]
    assert spots_in(path) == [(at + 1, rows[at]["key"], form.byte(places[at])) for at in positions]


# -- broken in ways that only JSON knows -------------------------------------------------------------------------------

WRONG_KINDS: dict[str, tuple[Row, str]] = {
    "number": ({"instruction": 5}, "instruction: expected a text, found a number"),
    "truth": ({"instruction": True}, "instruction: expected a text, found a truth value"),
    "list": ({"instruction": ["rain"]}, "instruction: expected a text, found a list"),
    "object": ({"description": {}}, "description: expected a text, found an object"),
    "text64": ({"image_b64": 5}, "image_b64: expected a text, found a number"),
    "image": ({"image": 5}, "image: expected a text, found a number"),
    "image-object": ({"image": {"path": 5}}, "image: expected a text, found a number"),
    "no-images": ({"image": []}, "image: the list of images is empty"),
    "one-of-two": ({"image": ["images/1.png", None]}, "image: expected a text, found null"),
    "references": ({"reference_image": ["images/1.png"] * 2}, "reference_image: expected one image, found 2"),
    "nul": ({"instruction": "a\0b"}, "instruction contains a NUL character"),
    "nul-path": ({"image": "a\0b.png"}, "image: 'a\\x00b.png' cannot be read: "),
}


@in_json
def test_every_value_of_a_wrong_kind_is_named(tmp_path: Path, form: Form) -> None:
    write_images(tmp_path, "images/1.png")
    rows = [row("good"), *(row(key) | fields for key, (fields, _) in WRONG_KINDS.items())]
    path = form.file(tmp_path, rows)
    places = [form.place(at, one, path.read_bytes()) for at, one in enumerate(rows)]

    faults = faults_in(path)

    assert len(faults) == len(WRONG_KINDS)
    for fault, place, (key, (_, said)) in zip(faults, places[1:], WRONG_KINDS.items(), strict=True):
        assert fault.startswith(f"{place} ({key}): {said}")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
@in_json
def test_what_is_no_number_of_json_is_refused_at_its_byte_or_line(tmp_path: Path, form: Form, value: str) -> None:
    write_images(tmp_path, "images/1.png")
    path = form.file(tmp_path, [row("p-1"), row("p-2", notes="VALUE"), row("p-3", instruction="")])
    path.write_bytes(path.read_bytes().replace(b'"VALUE"', value.encode()))

    found = [fault for fault in found_in(path) if "is not valid JSON" in str(fault)]

    if form.name == "JSON Lines":
        said = f"is not valid JSON: {value} is no value of JSON; expected a number, or null"
        assert faults_in(path) == [f"line 2: {said}", "line 3 (p-3): instruction is empty"]
    else:
        byte = path.read_bytes().index(value.encode())
        assert [(fault.spot.row, fault.spot.key, fault.spot.byte) for fault in found] == [(None, None, byte)]
        assert f", at byte {byte:,}" in found[0].place


@in_json
def test_a_number_that_is_too_large_is_refused_where_it_counts(tmp_path: Path, form: Form) -> None:
    """Elsewhere, too, where the file is one value: its reader gives up."""
    write_images(tmp_path, "images/1.png")
    path = form.file(tmp_path, [row("p-1", notes=10**30)])

    if form.name == "JSON Lines":
        assert [sample.key for sample in samples_in(path)] == ["p-1"]
    else:
        [fault] = found_in(path)
        assert fault.spot.byte == path.read_bytes().index(b"1000000")
        assert fault.message == "has a number that is too large to be read; write it as a text"


# -- broken as a whole -------------------------------------------------------------------------------------------------


@every_form
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_another_encoding_is_one_fault(tmp_path: Path, form: Form, encoding: str) -> None:
    path = form.file(tmp_path, [row("p-1"), row("p-2")])
    path.write_bytes(path.read_bytes().decode().encode(encoding))

    [fault] = found_in(path)

    first = path.read_bytes()[0]
    known = f"as byte 0 (0x{first:02X}) and the next say"
    assert fault.message == f"is {encoding[:6].upper()}, {known}; save the file as UTF-8"
    assert fault.spot == Spot(byte=0)


@every_form
def test_a_file_in_gb18030_is_named_by_its_first_byte_that_is_not_utf8(tmp_path: Path, form: Form) -> None:
    write_images(tmp_path, "images/1.png")
    path = form.file(tmp_path, [row("p-1", category="a"), row("p-2"), row("p-3", category="b"), row("p-4")])
    text = path.read_bytes().decode().encode("gb18030")
    path.write_bytes(text)
    byte = text.index("物".encode("gb18030"))

    first, *others = found_in(path)

    assert first.message == f"is not UTF-8: byte {byte:,} is 0x{text[byte]:02X}; save the file as UTF-8"
    assert first.spot.byte == byte
    if form.suffix == ".json":
        assert others == []
    else:
        assert [str(one) for one in others] == [f"line {4 + form.is_table}: not UTF-8 either"]


@in_json
def test_a_file_that_is_cut_keeps_the_faults_ahead_of_the_cut(tmp_path: Path, form: Form) -> None:
    write_images(tmp_path, "images/1.png")
    path = form.file(tmp_path, [row("p-1"), row("p-2", instruction=""), row("p-3")])
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"rain")])

    ahead, cut = found_in(path)

    assert (ahead.spot.key, ahead.message) == ("p-2", "instruction is empty")
    assert cut.message.startswith("is not valid JSON: ")
    assert cut.spot.byte == (None if form.name == "JSON Lines" else len(path.read_bytes()))
    assert cut.place.startswith("line 3" if form.name == "JSON Lines" else "after ")
