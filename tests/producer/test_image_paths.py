"""The path of an image leads to a file below the benchmark's folder, or to a fault; never out, never into a wait."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from db.decode import MAX_BYTES
from db.errors import BenchmarkInvalid
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from tests.factories import original_file, pair, png

OUTSIDE = "lies outside the benchmark's folder"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A benchmark's folder, with a secret beside it and traps within."""
    folder = tmp_path / "benchmark"
    (folder / "images").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png())
    os.mkfifo(folder / "pipe")
    for name, target in {
        "file": tmp_path / "secret.png",
        "folder": tmp_path,
        "relative": "../secret.png",
        "chain": "file",
        "zero": "/dev/zero",
        "tty": "/dev/tty",
        "self": "/proc/self/environ",
        "to-pipe": "pipe",
        "loop": "loop",
        "there": "back",
        "back": "there",
    }.items():
        (folder / name).symlink_to(target)
    return folder


def fault_of(folder: Path, given: str, layout: str) -> str:
    """Return the one fault of a benchmark of one image, without its place."""
    if layout == "original":
        path = original_file(folder, {"categories": {"a": [pair("p", original_image_b64=None, original_image=given)]}})
    else:
        path = folder / "lines.jsonl"
        path.write_text(json.dumps({"key": "p", "category": "a", "instruction": "x", "image": given}))
    with pytest.raises(BenchmarkInvalid) as refused:
        check_benchmark(open_benchmark(path))
    (fault,) = refused.value.faults
    return fault.partition("image: ")[2]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("layout", ["original", "lines"])
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("file", OUTSIDE),
        ("relative", OUTSIDE),
        ("chain", OUTSIDE),
        ("folder/secret.png", OUTSIDE),
        ("folder/benchmark/../secret.png", OUTSIDE),
        ("zero", OUTSIDE),
        ("tty", OUTSIDE),
        ("self", OUTSIDE),
        ("/dev/zero", OUTSIDE),
        ("/dev/stdin", OUTSIDE),
        ("/etc/passwd", OUTSIDE),
        ("//etc/passwd", OUTSIDE),
        ("..", OUTSIDE),
        ("../secret.png", OUTSIDE),
        ("images/../../secret.png", OUTSIDE),
        ("../benchmark-2/x.png", OUTSIDE),  # a folder whose name begins as ours does
        ("~/x.png", "cannot be read: No such file or directory"),
        ("~root/x.png", "cannot be read: No such file or directory"),
        ("$HOME/x.png", "cannot be read: No such file or directory"),
        ("file:///etc/passwd", "cannot be read: No such file or directory"),
        ("pipe", "cannot be read: Is no regular file"),
        ("to-pipe", "cannot be read: Is no regular file"),
        ("images", "cannot be read: Is a directory"),
        ("images/", "cannot be read: Is a directory"),
        (".", "cannot be read: Is a directory"),
        ("loop", "cannot be read: "),
        ("there", "cannot be read: "),
        ("loop/x.png", "cannot be read: "),
        ("a\0b", "cannot be read: "),
        ("\udcff", "cannot be read: "),
        ("x" * 5000, "cannot be read: File name too long"),
        ("x/" * 5000, "cannot be read: File name too long"),
    ],
)
def test_a_path_that_leads_to_no_file_of_the_benchmark_is_a_fault_at_once(
    folder: Path, given: str, reason: str, layout: str
) -> None:
    if layout == "original" and given == "\udcff":
        pytest.skip("this layout's parser makes another character of it")

    fault = fault_of(folder, given, layout)

    assert reason in fault
    assert len(fault) < 500
    assert fault.isprintable()


@pytest.mark.timeout(10)
def test_a_socket_is_no_image(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

        assert "cannot be read: " in fault_of(folder, "socket", "lines")


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    with (folder / "large.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    assert fault_of(folder, "large.png", "lines") == "'large.png' has 104,857,601 bytes; at most 104,857,600 are read"


def test_a_link_that_stays_within_is_followed(folder: Path) -> None:
    (folder / "images" / "a.png").write_bytes(png())
    (folder / "within").symlink_to("images")
    path = original_file(
        folder, {"categories": {"a": [pair("p", original_image_b64=None, original_image="within/a.png")]}}
    )

    assert check_benchmark(open_benchmark(path)).sample_count == 1


@pytest.mark.timeout(10)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_a_benchmark_that_is_no_file_is_named_at_once(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"benchmark{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path.name)

    said = "is a folder of no known layout" if kind == "folder" else "cannot be read: "
    with pytest.raises(BenchmarkInvalid, match=f"{path.name}: {said}"):
        open_benchmark(path)
