"""Mutated benchmark files: each is accepted or refused in clean lines, and of one that is refused nothing is taken."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.engine import open_engine, reading
from db.errors import BenchmarkInvalid
from db.images import ImageStore
from db.jobs import Doorbell
from db.ledger import Ledger
from db.tables import metadata
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.faults import MAX_FAULTS
from producer.benchmark.sample import Sample
from producer.submit import submit
from tests.factories import configuration
from tests.fuzz.mutator import CORPUS, FUZZ_INPUTS, FUZZ_SEED, Mutator, corpus_files, within_time

LAYOUTS = (".json", ".jsonl")

SUBMITTED = 10
"""Of so many inputs one goes all the way into a ledger."""

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
)

_PLACE = re.compile(r"categories\b|line \d+\b|after |name: |it has no samples$|and [\d,]+ more$")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the images of the corpus and with what a path may lead to: out of it, in circles, to no end."""
    folder = tmp_path / "benchmark"
    shutil.copytree(CORPUS / "benchmarks", folder)
    (tmp_path / "secret.png").write_bytes((folder / "images" / "teal.png").read_bytes())
    os.mkfifo(folder / "images" / "pipe")
    for name, target in (("zero", "/dev/zero"), ("loop", "loop"), ("out", "../../secret.png"), ("folder", "../..")):
        (folder / "images" / name).symlink_to(target)
    return folder


class Taken:
    """A ledger on SQLite, an image store and a broker, and all that is in them."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        self.ledger = Ledger(self.engine, lease_seconds=30)
        self.images = ImageStore(folder / "store")
        self.messages: list[Doorbell] = []
        judge = {"name": "api", "model": "judge", "base_url": "http://127.0.0.1:1/v1"}  # it has the benchmark's prompts
        self.configuration = configuration(scorers=[judge])

    def submit(self, path: Path) -> None:
        submit(
            open_benchmark(path),
            self.configuration,
            ledger=self.ledger,
            images=self.images,
            send=self.messages.append,
        )

    def counts(self) -> list[int]:
        with reading(self.engine) as connection:
            rows = [connection.scalar(select(func.count()).select_from(table)) for table in metadata.sorted_tables]
        return [*rows, len(list(self.images.folder.rglob("*"))), len(self.messages)]


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Taken]:
    """A farm that has taken nothing yet."""
    taken = Taken(tmp_path)
    yield taken
    taken.engine.dispose()


def check(path: Path) -> bool:
    """Tell whether the benchmark is accepted; fail unless it is storable, or refused in clean lines."""
    try:
        benchmark = open_benchmark(path)
        checked = check_benchmark(benchmark)
    except BenchmarkInvalid as refused:
        require_clean(refused)
        return False
    samples = list(benchmark)
    assert len(samples) == checked.sample_count > 0
    for sample in samples:
        assert isinstance(sample, Sample)
        require_storable(sample.key, sample.category, checked.name, *checked.prompts)
        for text in (sample.instruction, sample.description or ""):
            assert "\0" not in text.encode().decode()
    return True


def require_clean(refused: BenchmarkInvalid) -> None:
    assert 1 <= len(refused.faults) <= MAX_FAULTS + 1
    for line in (str(refused), *refused.faults):
        assert line.isprintable(), ascii(line)
        assert len(line) <= 1000
    for fault in refused.faults:
        assert _PLACE.match(fault), fault


def require_storable(*names: str) -> None:
    for name in names:
        assert len(name.encode()) > 0
        assert not re.search(r"[\0-\x1f\x7f-\x9f]", name), ascii(name)


def tries(taken: Taken, path: Path) -> bool:
    """Submit the benchmark and tell whether it was accepted; fail when anything of a bad one was taken."""
    before = taken.counts()
    try:
        taken.submit(path)
    except BenchmarkInvalid as refused:
        require_clean(refused)
        assert taken.counts() == before
        return False
    return True


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_mutated_benchmark_is_accepted_or_refused_in_clean_lines(layout: str, folder: Path, taken: Taken) -> None:
    files = corpus_files("benchmarks", f"*{layout}")
    mutator = Mutator([file.read_bytes() for file in files], HOSTILE)
    path = folder / f"mutated{layout}"
    accepted = 0
    for number in range(FUZZ_INPUTS // len(LAYOUTS)):
        path.write_bytes(mutator.content(number))
        with within_time(f"input {number} of FUZZ_SEED={FUZZ_SEED}, in {path}"):
            good = check(path)
            if number % SUBMITTED == 0:
                assert tries(taken, path) == good
        accepted += good
    assert accepted > 0  # else nothing was tried but the parser


@pytest.mark.parametrize("file", corpus_files("benchmarks", "*.json*"), ids=lambda file: file.name)
def test_a_kept_benchmark_is_accepted_or_refused_as_its_name_says(file: Path, folder: Path, taken: Taken) -> None:
    with within_time(file.name):
        good = check(folder / file.name)
        assert tries(taken, folder / file.name) == good

    assert good == file.name.startswith("good-")
