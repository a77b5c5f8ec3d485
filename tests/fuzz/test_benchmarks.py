"""Mutated benchmark files: each is accepted or refused in clean lines, and of one that is refused nothing is taken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from db.errors import BenchmarkInvalid
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from tests.fuzz.formats import FORMATS, with_traps
from tests.fuzz.mutator import FUZZ_INPUTS, FUZZ_SEED, Mutator, corpus_files, within_time
from tests.fuzz.taken import Taken, check, validates

INPUTS = max(20, FUZZ_INPUTS // 10)
"""Of each format."""

KEPT = ("original", "lines")
"""Formats whose good files are tried by their names, among those that are to be refused."""

SUBMITTED = 10
"""Of so many inputs one goes all the way into a ledger, and through the command that checks."""

HOSTILE = (
    *(b'"categories"', b'"name"', b'"pairs"', b'"pair_id"', b'"key"', b'"id"', b'"category"', b'"edit_instruction"'),
    *(b'"original_image"', b'"image"', b'"original_image_b64"', b'"image_b64"', b'"reference_image"', b'"description"'),
    *(b'"system_prompt"', b'"user_prompt"', b'"item"', b'"categories.item"', b'"categories": [], ', b'"pairs": [], '),
    *(b'"pair_id": "p", "pair_id": "q", ', b'"name": null, ', b'"name": "x", "name": "y", ', b'"user_prompt": "", '),
    *(b'"images/teal.png"', b'"images/pipe"', b'"images/zero"', b'"images/loop"', b'"images/out"', b'"images"', b'"."'),
    *(b'"../secret.png"', b'"images/../../secret.png"', b'"/etc/passwd"', b'"/dev/zero"', b'"~/x.png"', b'"a\\u0000b"'),
    *(b'"file:///etc/passwd"', b'"images/folder/secret.png"', b'"' + b"../" * 2000 + b'"', b'"' + b"a" * 5000 + b'"'),
    *(
        b'"data:image/png;base64,"',
        b'"data:,"',
        b'"data:image/svg+xml;base64,PHN2Zz4="',
        b'"data:"',
        b'"AAAA"',
        b'"===="',
    ),
    *(b'"{{ 10 ** 10 ** 10 }}"', b'"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"'),
    *(b'"{{ instruction.__class__.__mro__ }}"', b'"{instruction.__class__}"', b"\"{{ 'x' * 10 ** 10 }}\"", b'"{{"'),
    *(b'"{{ ' + b"(" * 500 + b'"', b'"' + b"{% if key %}" * 300 + b'"', b'"{% raw %}"', b'"{instruction} {"', b'"{#"'),
    *(b'"prompt"', b'"edit_type"', b'"ori_img"', b'"ins_en"', b'"gt_img"', b'"index"', b'"reference_img"', b'"input"'),
    *(b'"file_name"', b'"file_names"', b'"x_file_name"', b'"output"', b'"9-output1.png"', b'"filename"', b'"splits"'),
    *(b'"train"', b'"../train"', b'"instruction"', b'"#key"', b'"#folder"', b'"#"', b'"' + b"n" * 990 + b'"'),
    *(
        b",",
        b";",
        b"\t",
        b'""',
        b'"a"b',
        b',"',
        b'",',
        b"\r\n",
        b"key",
        b"image",
        b"image_b64",
        b"images/teal.png",
        b"=1+1",
    ),
    *(b"PAR1", b"PARE", b"\xff\xff\xff\xff\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"ARROW1"),
)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", FORMATS)
def test_a_mutated_benchmark_is_accepted_or_refused_in_clean_lines(name: str, tmp_path: Path, taken: Taken) -> None:
    opened, file = FORMATS[name].lay_out(tmp_path / "benchmark")
    mutator = Mutator(FORMATS[name].contents, HOSTILE)
    accepted = 0
    for number in range(INPUTS * 10):
        if number >= INPUTS and accepted:
            break
        file.write_bytes(mutator.content(number))
        with within_time(f"input {number} of {name}, FUZZ_SEED={FUZZ_SEED}, in {file}"):
            good = check(opened)
            if number % SUBMITTED == 0:
                assert taken.tries(opened) == good
                assert validates(opened) == good
        accepted += good
    assert accepted > 0  # else nothing was tried but the parser, for all that more than the asked inputs were tried


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in KEPT])
def test_a_benchmark_as_it_should_be_is_accepted(name: str, tmp_path: Path, taken: Taken) -> None:
    opened, file = FORMATS[name].lay_out(tmp_path / "benchmark")
    for content in FORMATS[name].contents:
        file.write_bytes(content)
        assert check(opened)
        assert taken.tries(opened)
        assert validates(opened)


FOUND = [
    ("kris", b'{"' + b"n" * 990 + b'": 7}', "expected an object, found a number"),
    (
        "imgedit",
        b'{"' + b"n" * 990 + b'": {"id": 5, "prompt": "x", "edit_type": "y"}, "b": 1',
        "id: expected a text, found a number",
    ),
    ("saved splits", b'{"splits": ["' + b"a" * 4000 + b'"]}', "`splits` is no list of names"),
    ("saved splits", b'{"splits": ["\\ud800"]}', "`splits` is no list of names"),
    (
        "saved state",
        b'{"_data_files": [{"filename": "' + b"a" * 4000 + b'"}]}',
        "`_data_files` is no list of file names",
    ),
]
"""What once broke the reader of a format, or left what is wrong unsaid."""


@pytest.mark.parametrize(("name", "content", "said"), FOUND, ids=range(len(FOUND)))
def test_what_once_broke_a_reader_is_refused_in_clean_lines(
    name: str, content: bytes, said: str, tmp_path: Path, taken: Taken
) -> None:
    opened, file = FORMATS[name].lay_out(tmp_path / "benchmark")
    file.write_bytes(content)

    with pytest.raises(BenchmarkInvalid) as refused:
        check_benchmark(open_benchmark(opened))
    assert any(said in line for line in (str(refused.value), *refused.value.faults))
    assert not check(opened)
    assert not taken.tries(opened)
    assert not validates(opened)


@pytest.mark.parametrize("file", corpus_files("benchmarks", "*.json*"), ids=lambda file: file.name)
def test_a_kept_benchmark_is_accepted_or_refused_as_its_name_says(file: Path, tmp_path: Path, taken: Taken) -> None:
    with_traps(tmp_path / "benchmark" / "images")
    kept = Path(shutil.copy(file, tmp_path / "benchmark"))
    with within_time(file.name):
        good = check(kept)
        assert taken.tries(kept) == good
        assert validates(kept) == good

    assert good == file.name.startswith("good-")
