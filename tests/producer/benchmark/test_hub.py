"""Data sets on the Hub, fetched from a real server that speaks as it does: whole, broken, withheld and out of reach."""

from __future__ import annotations

import errno
import io
import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants, errors, file_download

from db.errors import BenchmarkInvalid, FarmError, ServiceUnreachable, WrongCall
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.how import HowToRead
from producer.benchmark.hub.address import HubAddress, where_is
from producer.benchmark.hub.faults import told
from producer.benchmark.hub.fetching import CONVERTED
from producer.benchmark.sample import Fault, Sample
from tests.factories import original_file, png
from tests.producer.benchmark.hub_server import Hub, ask_at, asked_by_this_process, commit_of
from tests.producer.benchmark.test_datasets import row, saved, table
from tests.producer.shell import Shell

NOBODY = "http://127.0.0.1:1"
TOKEN = "hf_s3cr3tWort"
TRAIN, TEST = "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"
TWO_SUBSETS = b"""---
configs:
- config_name: en
  data_files: english/*.parquet
- config_name: cn
  data_files: [{split: dev, path: chinese/*}]
---
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with asked_by_this_process(tmp_path, monkeypatch) as served:
        yield served


def parquet(*keys: str, **fields: Any) -> bytes:
    """Return a Parquet file of rows with these keys."""
    file = io.BytesIO()
    pq.write_table(table([row(key, **fields) for key in keys]), file)
    return file.getvalue()


def lines(*records: Mapping[str, Any]) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


def opened(address: str = "hf://o/set", **how: Any) -> RecordBenchmark:
    return open_benchmark(where_is(address), HowToRead(**how))


def samples(address: str = "hf://o/set", **how: Any) -> list[Sample]:
    found = list(opened(address, **how))
    assert not [item for item in found if isinstance(item, Fault)]
    return [item for item in found if isinstance(item, Sample)]


def keys(address: str = "hf://o/set", **how: Any) -> list[str]:
    return [sample.key for sample in samples(address, **how)]


# -- what is fetched and read ------------------------------------------------------------------------------------------


def test_of_parquet_only_the_split_is_fetched_and_bytes_are_kept_as_they_are(hub: Hub) -> None:
    image = png() + b"what no encoder would write"
    hub.add("o/set", {TRAIN: parquet("a", image={"bytes": image, "path": None}), TEST: parquet("b")})

    [sample] = samples(split="train")

    assert (sample.key, sample.category, sample.source) == ("a", "remove", image)
    assert hub.fetched() == [TRAIN]


def test_the_commit_is_in_the_name_in_full_and_can_be_asked_for_again(hub: Hub) -> None:
    hosted = hub.add("o/set", {TRAIN: parquet("old"), TEST: parquet("x")})
    old = opened(split="train").name
    new = hosted.push("new", {TRAIN: parquet("new")})

    assert old == f"o/set@{commit_of('o/set')} train"
    assert opened().name == f"o/set@{new}"
    assert keys() == ["new"]
    assert keys(f"hf://{old.removesuffix(' train')}", split="train") == ["old"]


def test_a_revision_may_be_a_tag_or_a_branch_with_slashes(hub: Hub) -> None:
    hosted = hub.add("o/set", {TRAIN: parquet("new")})
    hosted.push("tagged", {TRAIN: parquet("old")}, "v1.0")
    hosted.push("asked for", {TRAIN: parquet("pull")}, "refs/pr/7")

    assert keys("hf://o/set@v1.0") == ["old"]
    assert keys("hf://datasets/o/set@refs/pr/7") == ["pull"]


def test_of_several_subsets_one_must_be_named(hub: Hub) -> None:
    hub.add("o/set", {"README.md": TWO_SUBSETS, "english/1.parquet": parquet("e"), "chinese/1.parquet": parquet("c")})

    with pytest.raises(WrongCall, match="say which subset with --subset; there are: cn, en"):
        opened()
    assert keys(subset="en") == ["e"]
    assert keys(subset="cn", split="dev") == ["c"]
    assert opened(subset="cn", split="dev").name == f"o/set@{commit_of('o/set')} cn dev"


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"split": "dev"}, "no split 'dev'; there are: test, train"),
        ({"subset": "dev"}, "no subset 'dev'; there are: default"),
        ({}, "say which split with --split; there are: test, train"),
    ],
)
def test_what_a_data_set_does_not_have_is_not_looked_for_in_the_hubs_own_parquet(
    hub: Hub, how: dict[str, str], complaint: str
) -> None:
    hosted = hub.add("o/set", {TRAIN: parquet("a"), TEST: parquet("b")})
    hosted.push("converted", {"dev/dev/0000.parquet": parquet("c")}, CONVERTED)

    with pytest.raises(WrongCall, match=complaint):
        opened(**how)


def test_of_what_is_in_no_form_that_is_read_the_hubs_own_parquet_is(hub: Hub) -> None:
    hosted = hub.add("o/set", {"rows.tar": b""})
    converted = {"default/train/0000.parquet": parquet("a"), "default/train/0001.parquet": parquet("b")}
    commit = hosted.push("converted", converted, CONVERTED)

    assert keys() == ["a", "b"]
    assert opened().name == f"o/set@{commit}"
    with pytest.raises(BenchmarkInvalid, match="holds no Parquet"):
        opened("hf://o/set@main")  # what was converted is of the main branch as it is now


def test_a_part_that_the_hub_has_converted_is_not_taken_for_all(hub: Hub) -> None:
    hosted = hub.add("o/set", {"rows.tar": b""})
    hosted.push("converted", {"default/partial-train/0000.parquet": parquet("a")}, CONVERTED)

    with pytest.raises(BenchmarkInvalid, match="its first rows only"):
        opened(split="train")


def test_a_data_set_that_cannot_be_read_says_how_to_fetch_it(hub: Hub) -> None:
    hub.add("o/set", {"rows.tar": b""})

    with pytest.raises(BenchmarkInvalid, match="hf download o/set --repo-type dataset --local-dir FOLDER"):
        opened()


def test_of_an_image_folder_only_the_images_of_the_splits_rows_are_fetched(hub: Hub) -> None:
    table = b"file_name,category,instruction\nsub/1.png,c,make it rain\n"
    images = {"test/sub/1.png": png(colour="red"), "test/2.png": png(), "train/sub/1.png": png(colour="navy")}
    hub.add("o/set", {"train/metadata.csv": table + b"\n", "test/metadata.csv": table, **images})

    [sample] = samples(split="test")

    assert (sample.key, sample.source) == ("test/sub/1", png(colour="red"))
    assert hub.fetched() == ["test/metadata.csv", "test/sub/1.png", "train/metadata.csv"]
    with pytest.raises(WrongCall, match="no subset 'x'; it has none; leave --subset out"):
        opened(split="test", subset="x")


def test_of_metadata_that_a_card_gives_to_a_subset_no_other_is_read(hub: Hub) -> None:
    card = b"---\nconfigs: [{config_name: a, data_dir: a, data_files: '**'}, {config_name: b, data_files: b/**}]\n---\n"
    rows = {name: {"file_name": "i.png", "category": name, "instruction": "i"} for name in "ab"}
    files = {f"{name}/metadata.jsonl": lines(row) for name, row in rows.items()}
    hub.add("o/set", {"README.md": card, **files, "a/i.png": png(), "b/i.png": png()})

    assert [[sample.category for sample in samples(subset=name)] for name in "ab"] == [["a"], ["b"]]


def gedit_v2(key: str) -> dict[str, Any]:
    source, edited = (f"./images/{folder}/{key}.png" for folder in ("source", "edited/M"))
    candidates = [{"model": "M", "image": edited}]
    return {"key": key, "task": "hybrid", "instruction": "i", "source_image": source, "candidates": candidates}


def test_gedit_bench_v2_is_read_without_other_peoples_edits(hub: Hub) -> None:
    names = [f"images/{folder}/{key}.png" for folder in ("source", "edited/M") for key in "ab"]
    images = {name: png(width=8 + number) for number, name in enumerate(names)}  # alike, one would be fetched for both
    hub.add("o/set", {"metadata.jsonl": lines(gedit_v2("a"), gedit_v2("b")), **images})

    benchmark = opened()

    assert benchmark.layout_name == "gedit-v2"
    assert keys() == ["a", "b"]
    assert hub.fetched() == ["images/source/a.png", "images/source/b.png", "metadata.jsonl"]


def test_gedit_bench_v2_is_read_as_a_folder_too_and_nothing_is_said_of_its_edits(tmp_path: Path) -> None:
    for folder in ("source", "edited/M"):
        (tmp_path / "images" / folder).mkdir(parents=True)
        (tmp_path / "images" / folder / "a.png").write_bytes(png())
    (tmp_path / "metadata.jsonl").write_bytes(lines(gedit_v2("a")))

    benchmark = open_benchmark(tmp_path)

    assert [item.key for item in benchmark if isinstance(item, Sample)] == ["a"]
    assert list(benchmark.remarks()) == []


def test_a_saved_data_set_is_fetched_by_its_split(hub: Hub, tmp_path: Path) -> None:
    for split in ("train", "test"):
        saved(tmp_path / "set" / split, [row(split)])
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    files = [file for file in (tmp_path / "set").rglob("*") if file.is_file()]
    hub.add("o/set", {file.relative_to(tmp_path).as_posix(): file.read_bytes() for file in files})

    assert keys(split="test") == ["test"]
    assert "set/train/data-00000-of-00001.arrow" not in hub.fetched()


def test_a_row_leads_to_no_file_outside_of_its_data_set(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    row = {"file_name": "../" * 5 + "secret.png", "category": "c", "instruction": "i"}
    hub.add("o/set", {"metadata.jsonl": lines(row)})

    [fault] = opened()

    assert "lies outside the benchmark's folder" in str(fault)


def test_an_image_that_the_repository_lacks_is_its_rows_fault(hub: Hub) -> None:
    hub.add("o/set", {"metadata.jsonl": lines({"file_name": "1.png", "category": "c", "instruction": "i"})})

    [fault] = opened()

    assert str(fault) == "line 1 (1): image: '1.png' cannot be read: No such file or directory"


def test_parquet_that_is_cut_short_is_a_fault_of_the_benchmark(hub: Hub) -> None:
    hub.add("o/set", {TRAIN: parquet("a")[:-9]})

    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(opened())
    assert caught.value.faults == (f"{TRAIN}: is cut short: a Parquet file ends in PAR1",)


# -- what the Hub does not give ----------------------------------------------------------------------------------------


def complaint_of(kind: type[FarmError], address: str = "hf://o/set") -> str:
    with pytest.raises(FarmError) as caught:
        list(opened(address))
    assert type(caught.value) is kind or (kind is BenchmarkInvalid and isinstance(caught.value, kind))
    return str(caught.value)


def test_a_data_set_that_there_is_not_is_told_with_what_opens_a_private_one(hub: Hub) -> None:
    assert complaint_of(BenchmarkInvalid) == (
        "o/set: the Hub has no such data set, or it is private: then set HF_TOKEN to a token that may read it"
    )


def test_a_revision_that_there_is_not_is_named(hub: Hub) -> None:
    hub.add("o/set", {TRAIN: parquet("a")})

    assert complaint_of(BenchmarkInvalid, "hf://o/set@v9") == "o/set: the Hub has no revision 'v9' of it"


def test_a_gated_data_set_is_read_with_a_token_and_told_without(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("o/set", {TRAIN: parquet("a")}, token=TOKEN)

    assert "o/set is gated" in (told := complaint_of(BenchmarkInvalid))
    assert "set HF_TOKEN" in told
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert keys() == ["a"]


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (403, BenchmarkInvalid, "the Hub refuses to give it (403); does HF_TOKEN hold a valid token?"),
        (500, ServiceUnreachable, "127.0.0.1 answers with status 500; try again later"),
        (200, ServiceUnreachable, "127.0.0.1 does not answer as the Hub does; look at HF_ENDPOINT"),
    ],
)
def test_what_the_hub_answers_is_one_line(hub: Hub, status: int, kind: type[FarmError], says: str) -> None:
    hub.add("o/set", {TRAIN: parquet("a")}, status=status)

    assert complaint_of(kind) == f"o/set: {says}"


def test_a_file_that_is_listed_and_gone_is_named(hub: Hub) -> None:
    hub.add("o/set", {TRAIN: parquet("a")}, vanished={TRAIN})

    assert complaint_of(BenchmarkInvalid) == f"o/set: {TRAIN}: the Hub has listed it, but does not have it"


def test_a_file_that_breaks_off_again_and_again_is_not_read(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("o/set", {TRAIN: parquet("a")}, cut={TRAIN})
    monkeypatch.setattr(file_download.time, "sleep", lambda _seconds: None)

    assert f"o/set: {TRAIN} cannot be fetched from 127.0.0.1: RemoteProtocolError" in complaint_of(ServiceUnreachable)


def test_what_is_no_id_is_refused_before_anybody_is_asked(hub: Hub) -> None:
    assert "a--b/c: is no id" in complaint_of(WrongCall, "hf://a--b/c")
    assert hub.asked == []


def test_a_full_disk_is_told_with_where_it_is_full(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "Auf dem Gerät ist kein Speicherplatz mehr verfügbar")

    hub.add("o/set", {TRAIN: parquet("a")})
    # Of what will not fit the library warns, on a line of its own.
    monkeypatch.setattr(file_download.shutil, "disk_usage", lambda _path: SimpleNamespace(free=0))
    monkeypatch.setattr(file_download, "http_get", full)

    assert complaint_of(FarmError) == (
        f"o/set: {TRAIN} cannot be kept in {constants.HF_HUB_CACHE}: No space left on device; HF_HOME says where"
    )


def test_a_full_disk_is_known_by_its_words_where_it_has_no_number() -> None:
    with pytest.raises(FarmError, match="No space left on device; HF_HOME"), told("o/set"):
        raise RuntimeError("I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("kind", [errors.CachedRepoTreeNotFoundError, errors.XetDownloadError])
def test_what_only_the_library_knows_of_is_told_by_its_kind(hub: Hub, kind: type[Exception]) -> None:
    with pytest.raises(ServiceUnreachable, match=f"o/set cannot be fetched from .*: {kind.__name__}"), told("o/set"):
        raise kind("https://cdn/?signature=s3cr3t")


def test_after_a_file_that_cannot_be_fetched_no_other_is_asked_for(hub: Hub) -> None:
    names = [f"{number:03}.png" for number in range(200)]
    rows = lines(*({"file_name": name, "category": "c", "instruction": "i"} for name in names))
    hub.add("o/set", {"metadata.jsonl": rows, **dict.fromkeys(names, png())}, vanished={"000.png"})

    assert "o/set: 000.png" in complaint_of(BenchmarkInvalid)
    assert len(hub.asked) < len(names)


def test_an_error_that_names_a_file_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(FarmError, match=r"^/hf/hub: Permission denied$"), told("o/set"):
        raise PermissionError(errno.EACCES, "Permission denied", "/hf/hub")


# -- without a network -------------------------------------------------------------------------------------------------


def test_offline_what_was_fetched_is_read_and_what_was_not_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("o/set", {TRAIN: parquet("a"), TEST: parquet("b")})
    keys(split="train")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()

    assert keys(split="train") == ["a"]
    with pytest.raises(ServiceUnreachable, match=f"{TEST}: HF_HUB_OFFLINE is set, and not all of it is in "):
        opened(split="test")
    with pytest.raises(ServiceUnreachable, match="o/other: HF_HUB_OFFLINE is set"):
        opened("hf://o/other")
    assert hub.asked == []


def test_a_hub_that_does_not_answer_is_told_and_what_may_be_old_is_not_taken(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("o/set", {TRAIN: parquet("a")})
    keys()
    ask_at(NOBODY, monkeypatch)

    assert complaint_of(ServiceUnreachable) == (
        "o/set cannot be fetched from 127.0.0.1: Connection refused; HF_HUB_OFFLINE=1 takes it from the cache, "
        "if it is there"
    )
    assert keys(f"hf://o/set@{commit_of('o/set')}") == ["a"]  # it cannot have changed


# -- where it is named -------------------------------------------------------------------------------------------------


def test_what_exists_is_a_path_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert where_is("hf://o/set@v1") == HubAddress("o/set", "v1")
    assert where_is("o/set") == Path("o/set")
    (tmp_path / "hf:" / "o" / "set@v1").mkdir(parents=True)
    assert where_is("hf://o/set@v1") == Path("hf:/o/set@v1")


@pytest.mark.parametrize("given", ["hf://", "hf://o", "hf://o/", "hf://o/set@", "hf://o/set/file", "hf://o/set@a b"])
def test_an_address_that_is_not_whole_is_refused(given: str) -> None:
    with pytest.raises(WrongCall, match="expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION"):
        where_is(given)


def test_a_path_has_no_subsets(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match=r"--subset en: .* has no subsets"):
        open_benchmark(original_file(tmp_path), HowToRead(subset="en"))


def test_without_the_library_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)

    with pytest.raises(WrongCall, match=r"reading a data set of the Hub needs pip install 'editfarm\[hf\]'"):
        opened()


def test_without_pyarrow_nothing_is_fetched_that_could_not_be_read(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("o/set", {TRAIN: parquet("a")})
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(WrongCall, match=r"reading Parquet needs pip install 'editfarm\[hf\]'"):
        opened()
    assert hub.fetched() == []


# -- from the command line ---------------------------------------------------------------------------------------------


def settings(hub: Hub, tmp_path: Path) -> dict[str, str]:
    home = str(tmp_path / "home")
    return {"HF_ENDPOINT": hub.url, "HF_HOME": home, "HF_HUB_OFFLINE": "0", "HF_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}


@pytest.mark.integration
def test_a_data_set_of_the_hub_is_submitted_and_its_commit_is_in_the_ledger(
    hub: Hub, shell: Shell, tmp_path: Path
) -> None:
    hub.add("o/set", {TRAIN: parquet("a"), TEST: parquet("b")}, token=TOKEN)

    done = shell("submit", "hf://o/set", "--split", "train", **settings(hub, tmp_path))

    assert done.code == 0, done.err
    with sqlite3.connect(shell.home / "farm.db") as connection:
        names = connection.execute("SELECT name, sample_count FROM benchmarks").fetchall()
    connection.close()
    assert names == [(f"o/set@{commit_of('o/set')} train", 1)]
    assert [image.read_bytes() for image in shell.images()] == [png(colour="navy")]
    assert TOKEN in hub.tokens
    assert TOKEN not in done.out + done.err


@pytest.mark.integration
def test_a_command_ends_with_one_line_and_its_code(hub: Hub, tmp_path: Path) -> None:
    shell, how = Shell(tmp_path, "redis://127.0.0.1:1/0"), settings(hub, tmp_path)
    hub.add("o/set", {TRAIN: parquet("a"), TEST: parquet("b")}, token="hf_another")
    hub.add("o/open", {"README.md": b"---\n---\n", TRAIN: parquet("a"), TEST: parquet("b")})
    plan = ("plan", "hf://o/open", "--split", "dev", "--edit-seconds", "1", "--score-seconds", "1")

    gated = shell("validate", "hf://o/set", **how)
    split = shell(*plan, **how)
    nobody = shell("submit", "hf://o/open", **{**how, "HF_ENDPOINT": f"http://user:pass-wort@{NOBODY[7:]}"})

    assert (gated.code, split.code, nobody.code) == (4, 2, 3)
    assert gated.complaint.startswith("error: o/set is gated")
    assert split.complaint == "error: o/open: no split 'dev'; there are: test, train"
    assert "Connection refused" in nobody.complaint
    assert "wort" not in (gated.err + split.err + nobody.err).lower()


@pytest.mark.integration
def test_a_token_that_cannot_be_sent_is_not_repeated(hub: Hub, tmp_path: Path) -> None:
    shell, how = Shell(tmp_path, "redis://127.0.0.1:1/0"), settings(hub, tmp_path)

    done = shell("validate", "hf://o/set", **{**how, "HF_TOKEN": "hf_s3cr3t\x0bWort"})

    assert done.code == 2
    assert done.complaint.endswith("has characters that no token has")
    assert "s3cr3t" not in done.err
