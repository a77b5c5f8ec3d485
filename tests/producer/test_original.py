"""The original layout: what is read, and how every fault is named."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from producer.benchmark import open_benchmark
from producer.benchmark.formats.original import Original
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.sample import Fault, Sample
from producer.benchmark.text_values import MAX_KEY, MAX_TEXT
from tests.factories import original_file, pair, png, without_bytes


def samples_of(path: Path) -> list[Sample]:
    items = list(open_benchmark(path))
    assert not [str(item) for item in items if isinstance(item, Fault)]
    return [item for item in items if isinstance(item, Sample)]


def faults_of(path: Path) -> list[str]:
    return [without_bytes(item) for item in open_benchmark(path) if isinstance(item, Fault)]


def with_pairs(folder: Path, *pairs: Any) -> Path:
    return original_file(folder, {"categories": [{"name": "物理", "pairs": pairs}]})


def with_text(folder: Path, text: str | bytes) -> Path:
    path = folder / "benchmark.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def begins(path: Path, key: str) -> int:
    """Return the byte at which the pair of this key begins."""
    return path.read_bytes().index(f'{{"pair_id": "{key}"'.encode())


def shapes(path: Path) -> list[tuple[str, str]]:
    return [(sample.category, sample.key) for sample in samples_of(path)]


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_pair_becomes_a_sample_with_its_image_bytes(tmp_path: Path) -> None:
    path = with_pairs(tmp_path, pair("p-1", original_description="一个方块", edit_instruction="让它变亮"))

    (sample,) = samples_of(path)

    assert sample == Sample(
        place=f"categories[0].pairs[0] at byte {begins(path, 'p-1')} (p-1)",
        key="p-1",
        category="物理",
        instruction="让它变亮",
        description="一个方块",
        source=png(),
        reference=None,
    )


def test_categories_in_a_list_are_read_in_their_order(tmp_path: Path) -> None:
    content = {
        "categories": [
            {"name": "物理", "pairs": [pair("a"), pair("b")]},
            {"name": "社会", "pairs": []},
            {"name": "因果", "pairs": [pair("c")]},
        ]
    }

    path = original_file(tmp_path, content)

    assert shapes(path) == [("物理", "a"), ("物理", "b"), ("因果", "c")]


@pytest.mark.parametrize("wrap", [lambda pairs: pairs, lambda pairs: {"pairs": pairs}], ids=["list", "object"])
def test_categories_may_be_keyed_by_name(tmp_path: Path, wrap: Any) -> None:
    path = original_file(tmp_path, {"categories": {"物理": wrap([pair("a"), pair("b")]), "社会": wrap([pair("c")])}})

    assert shapes(path) == [("物理", "a"), ("物理", "b"), ("社会", "c")]
    assert [sample.place for sample in samples_of(path)][1:] == [
        f"categories['物理'].pairs[1] at byte {begins(path, 'b')} (b)",
        f"categories['社会'].pairs[0] at byte {begins(path, 'c')} (c)",
    ]


def test_a_category_may_be_named_behind_its_pairs(tmp_path: Path) -> None:
    path = original_file(
        tmp_path, {"categories": [{"pairs": [pair("a")], "name": "物理"}, {"pairs": [pair("b")], "name": "社会"}]}
    )

    assert shapes(path) == [("物理", "a"), ("社会", "b")]


@pytest.mark.parametrize("name", ["v1.0", "a.pairs.item", "item", "pairs", "categories.item", "'"])
def test_a_keyed_category_may_be_called_anything(tmp_path: Path, name: str) -> None:
    path = original_file(tmp_path, {"categories": {name: {"pairs": [pair("p")]}, "a": [pair("q")]}})

    assert shapes(path) == [(name, "p"), ("a", "q")]


def test_only_pairs_of_a_category_are_samples(tmp_path: Path) -> None:
    category = {"item": pair("no sample"), "pairs": [pair("a")], "notes": {"pairs": [pair("no sample")]}}

    path = original_file(tmp_path, {"notes": {"pairs": [1]}, "categories": {"物理": category}, "more": [1]})

    assert shapes(path) == [("物理", "a")]


def test_names_and_texts_lose_the_space_around_them(tmp_path: Path) -> None:
    path = original_file(
        tmp_path, {"categories": [{"name": " 物理\n", "pairs": [pair(" p ", edit_instruction=" 变亮 ")]}]}
    )

    (sample,) = samples_of(path)

    assert (sample.category, sample.key, sample.instruction) == ("物理", "p", "变亮")


def test_a_numeric_pair_id_is_read_as_text(tmp_path: Path) -> None:
    path = with_pairs(tmp_path, {**pair("x"), "pair_id": 17})

    assert shapes(path) == [("物理", "17")]


def test_pair_ids_may_recur_in_another_category(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("p")], "社会": [pair("p")]}})

    assert shapes(path) == [("物理", "p"), ("社会", "p")]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda text: f"data:image/png;base64,{text}", id="data URL"),
        pytest.param(lambda text: "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)), id="wrapped"),
        pytest.param(lambda text: f" {text}\n", id="space around"),
    ],
)
def test_base64_comes_in_several_spellings(tmp_path: Path, written: Any) -> None:
    text = base64.b64encode(png()).decode()

    (sample,) = samples_of(with_pairs(tmp_path, pair("p", original_image_b64=written(text))))

    assert sample.source == png()


def test_an_image_may_be_a_path_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "图").mkdir()
    (tmp_path / "图" / "一.png").write_bytes(png(colour="red"))

    (sample,) = samples_of(with_pairs(tmp_path, pair("p", original_image_b64=None, original_image="图/一.png")))

    assert sample.source == png(colour="red")


def test_a_link_that_stays_in_the_folder_may_be_followed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "link.png").symlink_to("a.png")

    (sample,) = samples_of(with_pairs(tmp_path, pair("p", original_image_b64=None, original_image="link.png")))

    assert sample.source == png()


def test_a_reference_image_comes_in_base64_or_by_path(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png(colour="red"))
    blue = base64.b64encode(png(colour="blue")).decode()

    first, second = samples_of(
        with_pairs(tmp_path, pair("p", reference_image="red.png"), pair("q", reference_image_b64=blue))
    )

    assert (first.reference, second.reference) == (png(colour="red"), png(colour="blue"))


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = original_file(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert shapes(path) == [("物理", "p-0"), ("物理", "p-1")]


def test_the_benchmark_is_called_by_its_name_or_else_by_its_file(tmp_path: Path) -> None:
    assert open_benchmark(original_file(tmp_path)).name == "benchmark"
    assert open_benchmark(original_file(tmp_path, {"name": " 评测 ", "categories": []})).name == "评测"
    assert open_benchmark(original_file(tmp_path, {"categories": [], "name": "behind"})).name == "behind"
    assert open_benchmark(original_file(tmp_path, {"name": 5, "categories": []})).name == "benchmark"


def test_the_file_can_be_read_again(tmp_path: Path) -> None:
    benchmark = open_benchmark(original_file(tmp_path))

    assert list(benchmark) == list(benchmark) != []


# -- faults ------------------------------------------------------------------------------------------------------------

NO_INSTRUCTION = (
    "no instruction: looked for edit_instruction, instruction; --column instruction=NAME names another column"
)
NO_KEY = "no key: looked for pair_id, key, id, the record's name in its file; --column key=NAME names another column"
NO_IMAGE = "no image: looked for original_image, image, source_image, images; --column source=NAME names another column"

BAD_PAIRS = [
    ({"edit_instruction": None}, NO_INSTRUCTION),
    ({"edit_instruction": ""}, "edit_instruction is empty"),
    ({"edit_instruction": " \n"}, "edit_instruction is empty"),
    ({"edit_instruction": ["变亮"]}, "edit_instruction: expected a text, found a list"),
    ({"edit_instruction": 7}, "edit_instruction: expected a text, found a number"),
    ({"edit_instruction": "变\0亮"}, "edit_instruction contains a NUL character"),
    ({"edit_instruction": "亮" * (MAX_TEXT + 1)}, "edit_instruction has 20,001 characters; at most 20,000 are taken"),
    ({"original_description": {}}, "original_description: expected a text, found an object"),
    ({"original_description": "\0"}, "original_description contains a NUL character"),
    ({"original_image_b64": None}, NO_IMAGE),
    ({"original_image_b64": ""}, "original_image_b64: expected a text, found an empty one"),
    ({"original_image_b64": 5}, "original_image_b64: expected a text, found a number"),
    ({"original_image_b64": True}, "original_image_b64: expected a text, found a truth value"),
    ({"original_image_b64": "!!!!"}, "original_image_b64: is not base64: "),
    ({"original_image_b64": "AAAAA"}, "original_image_b64: is not base64: "),
    ({"original_image_b64": "图"}, "original_image_b64: is not base64: "),
    ({"reference_image_b64": "!!!!"}, "reference_image_b64: is not base64: "),
    ({"reference_image": 5}, "reference_image: expected a text, found a number"),
]


@pytest.mark.parametrize(("fields", "complaint"), BAD_PAIRS)
def test_a_bad_field_is_named_by_place_and_key(tmp_path: Path, fields: dict[str, Any], complaint: str) -> None:
    record = {**pair("p-17"), **fields}
    path = with_pairs(tmp_path, pair("good"), {name: value for name, value in record.items() if value is not None})

    (fault,) = faults_of(path)

    assert fault.startswith(f"categories[0].pairs[1] (p-17): {complaint}")


def test_every_bad_pair_is_named_not_only_the_first(tmp_path: Path) -> None:
    path = with_pairs(tmp_path, *({**pair(f"p-{number}"), **fields} for number, (fields, _) in enumerate(BAD_PAIRS)))

    faults = faults_of(path)

    assert [fault.split(" ")[0] for fault in faults] == [f"categories[0].pairs[{n}]" for n in range(len(BAD_PAIRS))]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (None, "categories[0].pairs[0]: pair_id is empty"),
        ("", "categories[0].pairs[0]: pair_id is empty"),
        (True, "categories[0].pairs[0] (True): pair_id: expected a text, found a truth value"),
        (1.5, "categories[0].pairs[0] (1.5): pair_id: expected a text, found a number"),
        ("a\0b", r"categories[0].pairs[0] (a\x00b): pair_id contains a NUL character"),
        ("a\nb", r"categories[0].pairs[0] (a\nb): pair_id contains a control character, '\n'"),
        ("a\x1b[2Jb", r"categories[0].pairs[0] (a\x1b[2Jb): pair_id contains a control character, '\x1b'"),
        ("a\u202eb", r"categories[0].pairs[0] (a\u202eb): pair_id contains a control character, '\u202e'"),
        ([["a"]], "categories[0].pairs[0]: pair_id: expected a text, found a list"),
        (
            "k" * (MAX_KEY + 1),
            f"categories[0].pairs[0] ({'k' * MAX_KEY}): pair_id has 201 characters; at most 200 are taken",
        ),
    ],
)
def test_a_pair_needs_an_id_that_can_be_stored(tmp_path: Path, key: Any, complaint: str) -> None:
    assert faults_of(with_pairs(tmp_path, {**pair("x"), "pair_id": key})) == [complaint]


@pytest.mark.parametrize(
    ("record", "kind"),
    [(5, "a number"), (None, "null"), ("p", "a text"), ([pair("p")], "a list"), (True, "a truth value")],
)
def test_a_pair_is_an_object(tmp_path: Path, record: Any, kind: str) -> None:
    path = with_pairs(tmp_path, pair("a"), record, pair("b"))

    assert faults_of(path) == [f"categories[0].pairs[1]: expected an object, found {kind}"]
    assert [item.key for item in open_benchmark(path) if isinstance(item, Sample)] == ["a", "b"]


@pytest.mark.parametrize("name", [None, "", "  ", 5, ["物理"]])
def test_a_category_needs_a_name(tmp_path: Path, name: Any) -> None:
    path = original_file(
        tmp_path, {"categories": [{"name": "物理", "pairs": [pair("a")]}, {"name": name, "pairs": [pair("b")]}]}
    )

    assert faults_of(path) == ["categories[1].pairs[0]: its category has no name"]


def test_a_category_name_must_be_storable(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"a\0b": [pair("p")], "x" * 201: [pair("q")]}})

    first, second = faults_of(path)

    assert first.endswith("category contains a NUL character")
    assert second.endswith("category has 201 characters; at most 200 are taken")


@pytest.mark.parametrize("category", [5, None, "物理", {"name": "社会"}, {"name": "社会", "pairs": {"p": pair("x")}}])
def test_a_category_without_a_list_of_pairs_is_not_passed_over(tmp_path: Path, category: Any) -> None:
    path = original_file(
        tmp_path, {"categories": [category, {"name": "物理", "pairs": [pair("a", edit_instruction="")]}]}
    )

    assert faults_of(path) == [
        "categories[0]: has no pairs; expected a list of them, or an object with `pairs`",
        "categories[1].pairs[0] (a): edit_instruction is empty",
    ]


@pytest.mark.parametrize("category", [5, None, {"pair": [pair("x")]}, {"pairs": {"item": pair("x")}}])
def test_a_keyed_category_without_a_list_of_pairs_is_not_passed_over(tmp_path: Path, category: Any) -> None:
    path = original_file(tmp_path, {"categories": {"社会": category, "物理": [pair("a")]}})

    assert faults_of(path) == ["categories['社会']: has no pairs; expected a list of them, or an object with `pairs`"]


@pytest.mark.parametrize("given", ["../secret.png", "{outside}/secret.png", "images/../../secret.png", "link.png"])
def test_an_image_outside_the_folder_is_refused(tmp_path: Path, given: str) -> None:
    folder = tmp_path / "benchmark"
    (folder / "images").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    given = given.format(outside=tmp_path)

    (fault,) = faults_of(with_pairs(folder, pair("p", original_image_b64=None, original_image=given)))

    assert fault == f"categories[0].pairs[0] (p): original_image: {given!r} lies outside the benchmark's folder"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("gone.png", "No such file"),
        (".", "Is a directory"),
        ("a\0b", "embedded null"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_an_image_that_cannot_be_read_is_a_fault(tmp_path: Path, given: str, reason: str) -> None:
    (fault,) = faults_of(with_pairs(tmp_path, pair("p", original_image_b64=None, original_image=given)))

    assert fault.startswith("categories[0].pairs[0] (p): original_image: ")
    assert reason in fault
    assert len(fault) < 400


@pytest.mark.parametrize("half", [r"\ud83d", r"\uDE00", r"\ud83d\u0041", r"\ud83d\n"])
def test_half_a_surrogate_pair_is_a_fault(tmp_path: Path, half: str) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("p", edit_instruction="HALF")]}})
    path.write_text(path.read_text().replace("HALF", half))

    (fault,) = faults_of(path)

    assert "this escape is half of a surrogate pair" in fault


def test_a_whole_surrogate_pair_is_a_character(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("p", edit_instruction="EMOJI")]}})
    path.write_text(path.read_text().replace("EMOJI", r"\ud83d\ude00"))

    assert samples_of(path)[0].instruction == "😀"


@pytest.mark.parametrize(
    ("text", "byte"),
    [
        ("", 0),
        ("hello", 0),
        ("[", 1),
        ("  {'categories': []}", 3),
        ("\x00\x01", 0),
        ('{"categories": [NaN]}', 16),
        ('{"categories": [1.]}', 16),
    ],
)
def test_a_file_that_is_no_json_has_that_one_fault(tmp_path: Path, text: str, byte: int) -> None:
    (fault,) = list(open_benchmark(with_text(tmp_path, text)))

    assert isinstance(fault, Fault)
    assert str(fault).startswith(f"after the beginning, at byte {byte}: is not valid JSON: ")
    assert fault.spot.byte == byte


@pytest.mark.parametrize("named", ["before", "behind"])
def test_a_truncated_file_keeps_the_samples_and_faults_before_the_break(tmp_path: Path, named: str) -> None:
    pairs = [pair("a"), pair("b", edit_instruction=None), pair("c")]
    category = {"name": "物理", "pairs": pairs} if named == "before" else {"pairs": pairs, "name": "物理"}
    whole = json.dumps({"categories": [category]})
    path = with_text(tmp_path, whole[: whole.index('"pair_id": "c"') + 30])

    sample, fault, end = list(open_benchmark(path))

    assert isinstance(sample, Sample)
    assert sample.key == "a"
    assert str(fault) == f"categories[0].pairs[1] at byte {begins(path, 'b')} (b): {NO_INSTRUCTION}"
    ends = f"after categories[0].pairs[1], at byte {len(path.read_bytes())}: is not valid JSON: "
    assert str(end).startswith(ends)


def test_what_follows_the_json_is_a_fault(tmp_path: Path) -> None:
    path = original_file(tmp_path, pairs=1)
    path.write_text(path.read_text() + "{}")

    (fault,) = faults_of(path)

    assert fault.startswith("after categories[0].pairs[0]: is not valid JSON: ")


@pytest.mark.parametrize(
    ("encoding", "known_by"),
    [("utf-16", 0xFF), ("utf-16-le", 0x7B), ("utf-16-be", 0), ("utf-32", 0xFF), ("utf-32-le", 0x7B), ("utf-32-be", 0)],
)
def test_a_file_in_another_encoding_is_a_fault_that_says_which(tmp_path: Path, encoding: str, known_by: int) -> None:
    text = original_file(tmp_path, pairs=1).read_text()

    (fault,) = faults_of(with_text(tmp_path, text.encode(encoding)))

    known = f"as byte 0 (0x{known_by:02X}) and the next say"
    assert fault == f"after the beginning: is {encoding[:6].upper()}, {known}; save the file as UTF-8"


@pytest.mark.parametrize("encoding", ["gb18030", "latin-1", "cut within a character"])
def test_what_is_not_utf8_is_named_by_its_first_byte(tmp_path: Path, encoding: str) -> None:
    text = '{"categories": [{"name": "é物", "pairs": []}]}'
    if encoding == "cut within a character":
        raw = text.encode().replace("物".encode(), "物".encode()[:2])
        byte = raw.index("物".encode()[:2])
    else:
        raw = text.encode(encoding, errors="replace")
        byte = raw.index("é".encode(encoding))

    (fault,) = open_benchmark(with_text(tmp_path, raw))

    wrong = f"is not UTF-8: byte {byte} is 0x{raw[byte]:02X}; save the file as UTF-8"
    assert str(fault) == f"after the beginning, at byte {byte}: {wrong}"


@pytest.mark.parametrize("content", [{}, {"categories": None}, {"categories": "物理"}, {"pairs": [pair("p")]}])
def test_a_file_without_categories_is_told_what_is_expected(tmp_path: Path, content: Any) -> None:
    assert faults_of(original_file(tmp_path, content)) == [
        "categories: missing; expected a list of categories, or an object keyed by their names"
    ]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [65, 5000, 1_000_000])
def test_deep_nesting_is_a_fault_and_no_crash(tmp_path: Path, opening: str, depth: int) -> None:
    path = with_text(tmp_path, '{"categories": {"a": [{"pair_id": ' + opening * depth)

    assert faults_of(path) == ["after the beginning: is nested too deep; at most 64 levels are read"]


def test_nesting_that_is_not_deep_is_read(tmp_path: Path) -> None:
    nested: Any = []
    for _ in range(50):
        nested = {"a": [nested]} if len(str(nested)) % 2 else [nested]

    assert len(samples_of(with_pairs(tmp_path, pair("p", notes=nested)))) == 1


def test_a_name_that_is_too_long_is_a_fault(tmp_path: Path) -> None:
    path = with_text(tmp_path, f'{{"{"k" * 1_000_000}": [{"0," * 1_000_000}')  # each 0 would be given that name

    assert faults_of(path) == ["after the beginning: a name has 1,000,000 characters; at most 1,000 are read"]


# -- memory ------------------------------------------------------------------------------------------------------------

CHECK_AND_MEASURE = """
import sys
from pathlib import Path
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark

def peak():  # not `ru_maxrss`, which begins with that of the process that started this one
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

check_benchmark(open_benchmark(Path(sys.argv[1])))
before = peak()
count = check_benchmark(open_benchmark(Path(sys.argv[2]))).sample_count
print(count, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_large_file_is_checked_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    small, large = original_file(tmp_path / "small", pairs=1), tmp_path / "large.json"
    image = base64.b64encode(png() + bytes(750_000)).decode()  # what follows a PNG's end is not decoded
    with large.open("w") as file:
        file.write('{"categories": [{"pairs": [')
        for number in range(60):
            file.write("," * bool(number) + json.dumps(pair(f"p-{number}", original_image_b64=image)))
        file.write('], "name": "物理"}]}')
    assert large.stat().st_size > 60e6

    measured = subprocess.run(
        [sys.executable, "-c", CHECK_AND_MEASURE, str(small), str(large)], capture_output=True, text=True, check=True
    )

    count, kilobytes = map(int, measured.stdout.split())
    assert count == 60
    assert kilobytes < 40_000


def test_the_reader_of_a_json_file_is_the_original_layouts(tmp_path: Path) -> None:
    path = original_file(tmp_path).rename(tmp_path / "B.JSON")

    opened = open_benchmark(path)

    assert isinstance(opened, RecordBenchmark)
    assert isinstance(opened.records, Original)
