"""`python -m workers make-tiny`: small, quick to build, and the same every time."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from click.testing import CliRunner

from workers.__main__ import main
from workers.tiny.tokenizer import make_tokenizer


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_writes_the_same_files_every_time_readable_by_all_and_small(tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = CliRunner().invoke(main, ["make-tiny", str(tmp_path / name)])
        assert done.exit_code == 0, done.output

    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & stat.S_IROTH for path in files)
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"editor", "judge"}


def test_every_digit_is_one_token_and_merges_shorten_text() -> None:
    text = "the quick brown fox " * 20
    tokenizer = make_tokenizer([text], size=400)

    assert all(len(tokenizer.encode(digit)) == 1 for digit in "0123456789")
    assert len(tokenizer.encode(text)) < len(text) / 3
    assert tokenizer.decode(tokenizer.encode("Größe 物理")) == "Größe 物理"
