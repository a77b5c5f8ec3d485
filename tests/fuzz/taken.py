"""What may come of a benchmark: a farm takes it whole, or refuses it in clean lines and takes nothing."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import func, select

from db.engine import open_engine, reading
from db.errors import BenchmarkInvalid, FarmError, WrongCall, one_line
from db.images import FolderStore
from db.jobs import Doorbell
from db.ledger import Ledger
from db.tables import metadata
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.faults import MAX_FAULTS
from producer.benchmark.how import HowToRead
from producer.benchmark.sample import Sample
from producer.commands.validating import validate
from producer.submit import submit
from tests.factories import configuration

_PLACE = re.compile(
    r"categories\b|lines? \d|row \d|turn \d|session |\[|[\w/]+annotation\.json |[\w-]+\.(?:json|jsonl|csv|parquet)\b"
    r"|b: |after |name: |it has no samples$|the file: |--column |and [\d,]+ more$"
)
"""How a fault begins: with where it stands."""


class Taken:
    """A ledger on SQLite, an image store and a broker, and all that is in them."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        self.ledger = Ledger(self.engine, lease_seconds=30)
        self.images = FolderStore(folder / "store")
        self.messages: list[Doorbell] = []
        judge = {"name": "api", "model": "judge", "base_url": "http://127.0.0.1:1/v1"}  # it has the benchmark's prompts
        self.configuration = configuration(scorers=[judge])

    def submit(self, path: Path, how: HowToRead | None = None) -> None:
        submit(
            open_benchmark(path, how),
            self.configuration,
            ledger=self.ledger,
            images=self.images,
            send=self.messages.append,
        )

    def counts(self) -> list[int]:
        with reading(self.engine) as connection:
            rows = [connection.scalar(select(func.count()).select_from(table)) for table in metadata.sorted_tables]
        return [*rows, len(list(self.images.folder.rglob("*"))), len(self.messages)]

    def tries(self, path: Path, how: HowToRead | None = None) -> bool:
        """Submit the benchmark and tell whether it was accepted; fail when anything of a bad one was taken."""
        before = self.counts()
        try:
            self.submit(path, how)
        except (BenchmarkInvalid, WrongCall) as refused:
            require_clean(refused)
            assert self.counts() == before
            return False
        return True


def check(path: Path, how: HowToRead | None = None) -> bool:
    """Tell whether the benchmark is accepted; fail unless it is storable, or refused in clean lines."""
    try:
        benchmark = open_benchmark(path, how)
        checked = check_benchmark(benchmark)
    except (BenchmarkInvalid, WrongCall) as refused:
        require_clean(refused)
        return False
    samples = list(benchmark)
    assert len(samples) == checked.sample_count > 0
    for sample in samples:
        assert isinstance(sample, Sample)
        require_storable(sample.key, sample.category, checked.name, *checked.prompts)
        for text in (sample.instruction, sample.description or "", sample.reference_text or ""):
            assert "\0" not in text.encode().decode()
    return True


def validates(path: Path) -> bool:
    """Tell whether `validate --json` accepts the benchmark; fail unless it says so in clean lines."""
    done = CliRunner().invoke(validate, [str(path), "--json"], standalone_mode=False)
    if done.exception is not None:
        assert isinstance(done.exception, BenchmarkInvalid | WrongCall), repr(done.exception)
        return False
    for line in done.stdout.splitlines():
        assert line.isprintable(), ascii(line)
    return done.return_value == 0


def require_clean(refused: FarmError) -> None:
    """Fail unless the refusal is what the command line shows in clean lines: of the whole, or of faults by place."""
    assert refused.exit_code in (2, 4)
    assert str(refused)
    if isinstance(refused, WrongCall):
        assert one_line(str(refused), longest=5000).isprintable()  # as the command line shows it
        return
    assert isinstance(refused, BenchmarkInvalid)
    assert len(refused.faults) <= MAX_FAULTS + 1
    for line in (str(refused), *refused.faults):
        assert line.isprintable(), ascii(line)
        assert len(line) <= 2500  # twenty columns that nobody knows, of 80 characters each, and a path
    for fault in refused.faults:
        assert _PLACE.match(fault), fault
        assert ": " in fault or fault.endswith(("no samples", " more")), fault  # what is wrong is not cut off


def require_storable(*names: str) -> None:
    for name in names:
        assert len(name.encode()) > 0
        assert not re.search(r"[\0-\x1f\x7f-\x9f]", name), ascii(name)
