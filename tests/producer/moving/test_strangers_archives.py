"""Archives come from strangers: what is not whole, or not what it says, is refused in a line, and nothing entered."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from db.engine import open_engine
from db.errors import FarmError
from db.images import FolderStore, digest_of
from db.ledger import Ledger
from producer.moving import EDITS, RUN, SAMPLES, SUMS
from producer.moving.archive import BLOCK, ArchiveInvalid, Writer
from producer.moving.incoming import import_run
from tests.producer.moving.archives import Rows, changed, joined, parts_of, with_sums
from tests.producer.moving.farms import Farm, by_hand, finished

FIRST_EDITS, FIRST_SAMPLES = f"{EDITS}/00000001.jsonl", f"{SAMPLES}/00000001.jsonl"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("archive")
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    farm = Farm(Ledger(engine), FolderStore(folder / "images"))
    written = farm.export(finished(farm))
    engine.dispose()
    return written


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A farm that takes nothing in all through these tests."""
    folder = tmp_path_factory.mktemp("home")
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    yield Farm(Ledger(engine), FolderStore(folder / "images"))
    engine.dispose()


def refusal(home: Farm, archive: bytes) -> str:
    """Return the line by which the archive is refused; nothing of it was entered."""
    with pytest.raises(FarmError) as refused:
        home.take_in(archive)
    with home.ledger.engine.connect() as connection:
        for table in ("benchmarks", "samples", "runs", "edits", "scores", "environments"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
    assert not home.images.folder.exists()
    assert str(refused.value).isprintable()
    return str(refused.value)


# -- not whole ---------------------------------------------------------------------------------------------------------


def test_wherever_it_is_cut_off_it_says_so(home: Farm, archive: bytes) -> None:
    for length in range(0, len(archive) - 2 * BLOCK, BLOCK // 2):
        assert "archive: cut off" in refusal(home, archive[:length]) or length == 0


def test_a_member_that_ends_with_its_block_is_cut_off_all_the_same(home: Farm) -> None:
    assert "cut off within 'run.json'" in refusal(home, joined({RUN: bytes(BLOCK)})[: 2 * BLOCK - 1])


def test_whatever_bit_of_a_member_is_flipped_it_is_named(home: Farm, archive: bytes) -> None:
    for name, content in parts_of(archive).items():
        for at in range(archive.index(content), archive.index(content) + len(content), 1 + len(content) // 20):
            said = refusal(home, archive[:at] + bytes([archive[at] ^ 1]) + archive[at + 1 :])
            assert name in said or SUMS in said


def test_a_file_that_is_none_is_refused(home: Farm) -> None:
    assert "no archive of `python -m producer export`" in refusal(home, b"PK\x03\x04" + bytes(range(256)) * 10)


def test_a_part_that_is_missing_is_named(home: Farm, archive: bytes) -> None:
    image = f"images/{digest_of(b'third')}"
    for name, said in {image: f"image {digest_of(b'third')} is missing", FIRST_EDITS: FIRST_EDITS, SUMS: SUMS}.items():
        parts = parts_of(archive)
        del parts[name]
        assert said in refusal(home, joined(parts))


def test_a_newer_form_is_refused_in_a_sentence(home: Farm, archive: bytes) -> None:
    parts = parts_of(archive)
    parts[RUN] = parts[RUN].replace(b"editfarm.run/1", b"editfarm.run/2")

    assert refusal(home, joined({**parts, "masks/1": b""})) == (
        "archive: by its run.json it has the form 'editfarm.run/2', and this editfarm knows 'editfarm.run/1': "
        "update editfarm"
    )


# -- tar, and what else it knows ---------------------------------------------------------------------------------------


def tar_of(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def entry(name: str, content: bytes = b"{}", kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[Any, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content) if kind == tarfile.REGTYPE else 0, kind, link
    return info, content


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (entry("../../etc/passwd"), "does not belong where it stands"),
        (entry("/etc/passwd"), "does not belong where it stands"),
        (entry(RUN, kind=tarfile.SYMTYPE, link="/etc/passwd"), "is no plain file"),
        (entry(RUN, kind=tarfile.LNKTYPE, link="/etc/passwd"), "is no plain file"),
        (entry(RUN, kind=tarfile.CHRTYPE), "is no plain file"),
        (entry("runs/", kind=tarfile.DIRTYPE), "is no plain file"),
        (entry("n" * 300), "is no plain file"),  # a PAX header, which might be as long as the file
    ],
)
def test_what_is_no_plain_file_of_ours_is_refused(home: Farm, made: Any, said: str) -> None:
    assert said in refusal(home, tar_of(made))


@pytest.mark.parametrize("size", [-1, 2**40, 2**63])
def test_sizes_out_of_this_world_are_refused_before_anything_is_read(home: Farm, size: int) -> None:
    header = tarfile.TarInfo(RUN)
    header.size = size
    said = refusal(home, header.tobuf(tarfile.GNU_FORMAT) + b"{}")

    assert f"says it has {size:,} bytes" in said


def test_each_member_stands_in_its_place_once(home: Farm, archive: bytes) -> None:
    parts = list(parts_of(archive).items())
    for twice in range(len(parts) - 1):
        for at in {0, twice + 1, len(parts) - 1}:
            file = io.BytesIO()
            writer = Writer(file)
            for name, content in [*parts[:at], parts[twice], *parts[at:]]:
                writer.add(name, content)
            said = refusal(home, file.getvalue())
            assert "does not belong" in said or "or it came before" in said


# -- rows that the ledger cannot mean ----------------------------------------------------------------------------------


def edit(**given: Any) -> Callable[[Rows], object]:
    return lambda rows: rows[0].update(given)


def score(**given: Any) -> Callable[[Rows], object]:
    return lambda rows: rows[0]["scores"][0].update(given)


def run(**given: Any) -> Callable[[Rows], object]:
    return lambda rows: rows[0]["run"].update(given)


def deep() -> Any:
    value: Any = []
    for _ in range(500):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (FIRST_EDITS, edit(position=3), "no such sample"),
        (FIRST_EDITS, edit(position=-1), "position"),
        (FIRST_EDITS, edit(repeat=2**40), "repeat"),
        (FIRST_EDITS, edit(repeat=True), "repeat"),
        (FIRST_EDITS, edit(state="queued"), "line 1"),
        (FIRST_EDITS, edit(state="lost"), "state"),
        (FIRST_EDITS, edit(image=None), "a job that is done has not just what such a job has"),
        (FIRST_EDITS, edit(image="../../../etc/passwd"), "image"),
        (FIRST_EDITS, edit(image="e" * 64), f"image {'e' * 64} is missing"),
        (FIRST_EDITS, edit(attempt=4), "a job that is done"),
        (FIRST_EDITS, edit(attempt=0), "a job that is done"),
        (FIRST_EDITS, edit(worker="\0"), "NUL"),
        (FIRST_EDITS, edit(worker="\ud800"), "surrogate"),
        (FIRST_EDITS, edit(detail={"reply": "\0"}), "NUL"),
        (FIRST_EDITS, edit(detail={"\ud800": 1}), "surrogate"),
        (FIRST_EDITS, edit(detail=[]), "detail"),
        (FIRST_EDITS, edit(detail={"n": float("nan")}), "is no number"),
        (FIRST_EDITS, edit(detail={"deep": deep()}), "nested more than"),
        (FIRST_EDITS, edit(environment="a" * 64), "an environment that the run does not name"),
        (FIRST_EDITS, edit(made_for="another"), "made_for"),
        (FIRST_EDITS, edit(owner="me"), "owner"),
        (FIRST_EDITS, edit(seconds=-1), "seconds"),
        (FIRST_EDITS, lambda rows: rows.append(rows[0]), "a second one"),
        (FIRST_EDITS, lambda rows: rows.pop(), "as many rows"),
        (FIRST_EDITS, lambda rows: rows.clear(), "no row names it"),
        (FIRST_EDITS, score(scorer=2), "no scorer of the run"),
        (FIRST_EDITS, score(scorer=1), "two scores of one edit"),
        (FIRST_EDITS, score(value=101), "value"),
        (FIRST_EDITS, score(value=None), "a job that is done"),
        (FIRST_EDITS, score(value=1e400), "is no number"),
        (FIRST_SAMPLES, edit(key="b", category="物理"), "a second one of this name"),
        (FIRST_SAMPLES, edit(position=1), "where 0 is next"),
        (FIRST_SAMPLES, edit(instruction="make it rain"), "not those of the benchmark"),
        (FIRST_SAMPLES, edit(more_sources="a b"), "more_sources"),
        (FIRST_SAMPLES, lambda rows: rows.pop(), "no such sample"),
        (RUN, run(id="../../x"), "run.id"),
        (RUN, run(id="a" * 12), "its id is not that of its benchmark and configuration"),
        (RUN, run(configuration={}), "run.configuration"),
        (RUN, lambda rows: rows[0]["run"]["configuration"].update(limit=2**64), "limit"),
        (RUN, lambda rows: rows[0]["run"]["configuration"]["editor"]["options"].update(x="\0"), "NUL"),
        (RUN, run(editing="a" * 64), "editing is not"),
        (RUN, run(priority="urgent"), "priority"),
        (RUN, run(scorers=[]), "scorers"),
        (RUN, lambda rows: rows[0]["run"]["scorers"][0].update(scale_max=-1), "the least score"),
        (RUN, lambda rows: rows[0]["run"]["scorers"][0].update(label="\x1b[2J"), "cannot be printed"),
        (RUN, lambda rows: rows[0]["run"]["scorers"][1].update(label="严"), "called alike"),
        (RUN, lambda rows: rows[0]["run"]["environments"].update({"b" * 64: {}}), "environment"),
        (RUN, lambda rows: rows.clear(), RUN),
        (RUN, lambda rows: rows.append({}), RUN),
    ],
)
def test_rows_that_cannot_be_are_refused(
    home: Farm, archive: bytes, name: str, change: Callable[[Rows], object], said: str
) -> None:
    assert said in refusal(home, changed(archive, name, change))


def test_an_image_that_no_row_names_is_refused(home: Farm, archive: bytes) -> None:
    parts = parts_of(archive)
    sums = parts.pop(SUMS)
    name = f"images/{digest_of(b'of nobody')}"

    assert "no row names it" in refusal(home, with_sums({**parts, name: b"of nobody", SUMS: sums}))


def test_an_archive_that_changes_while_it_is_read_is_no_run(here: Farm, archive: bytes) -> None:
    class Changing(io.BytesIO):
        """Holds another value from the second reading on."""

        begun = 0

        def seek(self, *given: int) -> int:
            self.begun += 1
            if self.begun == 4:  # checked, its images stored, its samples entered
                at = archive.index(b'"value":')
                self.getbuffer()[at + 8 : at + 9] = b"9"
            return super().seek(*given)

    with pytest.raises(ArchiveInvalid, match="is damaged"):
        import_run(here.ledger.engine, here.images, Changing(archive))
    assert here.run_ids() == set()
    assert here.take_in(archive).new


def test_a_run_of_the_same_id_with_other_outcomes_is_refused(here: Farm, archive: bytes) -> None:
    run_id = by_hand(here, until="half").id
    before = here.export(run_id)

    with pytest.raises(FarmError, match="is here already, and not all that came of it is as in the archive"):
        here.take_in(archive)

    assert here.export(run_id) == before
