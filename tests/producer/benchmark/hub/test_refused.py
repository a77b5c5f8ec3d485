"""A data set on the Hub that is not given, or cannot be: one line says why."""

from __future__ import annotations

import errno
import sys
from types import SimpleNamespace

import pytest
from huggingface_hub import constants, errors, file_download

from db.errors import BenchmarkInvalid, FarmError, ServiceUnreachable, WrongCall
from producer.benchmark.hub.faults import told
from tests.factories import png
from tests.producer.benchmark.hub.data_sets import NOBODY, TEST, TOKEN, TRAIN, keys, lines, opened, parquet
from tests.producer.benchmark.hub.hub_server import Hub, ask_at, commit_of

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
