"""The image store in a folder, of this machine or of a file server: plain files, whose names change by renaming.

Bytes are on disk before `put` returns, and so are the names of the file and of its folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from db.images.store import DAMAGED, DIGEST, MISSING, PROBE, ImageMissing, Stored, digest_of

_UNFINISHED = ".writing-"
_SET_ASIDE = ".trash-"


class FolderStore:
    """Images below one folder, as `ab/abcdef...`: 256 folders keep each small."""

    keeps_aside = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._on_disk: set[Path] = set()

    def path(self, digest: str) -> Path:
        """Return where the image lies, or would lie."""
        return self.folder / digest[:2] / digest

    def place(self, digest: str) -> str:
        """Return the image's path."""
        return str(self.path(digest))

    # -- written and read ------------------------------------------------------------------------------------------

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their digest.

        What is there already is read and compared: the same bytes are young again, others are replaced. New bytes are
        written under a temporary name, flushed to disk and renamed, so a crash leaves no half image under a digest.
        Raises OSError when the folder cannot be written.
        """
        digest = digest_of(content)
        path = self.path(digest)
        self._make_folder(path.parent)
        if not _renewed(path, content):
            _write(path, content)
        _sync_folder(path.parent)  # also for the name that another process gave a moment ago
        return digest

    def get(self, digest: str) -> bytes:
        """Return the image's bytes, checked against the digest. Raises ImageMissing."""
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise ImageMissing(digest, str(self.folder), MISSING) from error
        if digest_of(content) != digest:
            raise ImageMissing(digest, str(self.folder), DAMAGED)
        return content

    def fault(self, digest: str) -> str | None:
        """Return what is wrong with the image, MISSING or DAMAGED; None when it is there and whole."""
        try:
            with self.path(digest).open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except FileNotFoundError:
            return MISSING
        return None if whole else DAMAGED

    def probe(self) -> None:
        """Write something that is no image, read it back and remove it. Raises OSError."""
        path = self.folder / f"{PROBE}{secrets.token_hex(8)}"
        content = secrets.token_bytes(64)
        try:
            path.write_bytes(content)
            if path.read_bytes() != content:
                raise OSError(f"{path} reads back other than it was written")
        finally:
            path.unlink(missing_ok=True)

    # -- listed and removed ----------------------------------------------------------------------------------------

    def stored(self) -> Iterator[Stored]:
        """Yield every image, in the order of digests; one folder's names are held at a time."""
        return self._files(DIGEST)

    def unfinished(self) -> Iterator[Stored]:
        """Yield the temporary files of writers that are at it, or died of it."""
        return self._files(re.compile(re.escape(_UNFINISHED) + ".*"))

    def all_set_aside(self) -> Iterator[Stored]:
        """Yield the images that are set aside: of a gc at work, or of one that died."""
        return self._files(re.compile(re.escape(_SET_ASIDE) + DIGEST.pattern + "-.*"))

    def set_aside(self, images: Sequence[Stored]) -> list[Stored]:
        """Rename these images to names that no other gc uses; return those that were still there."""
        return [aside for image in images if (aside := self._set_aside(image))]

    def _set_aside(self, image: Stored) -> Stored | None:
        path = self.path(image.digest)
        try:
            return _look(path.rename(path.with_name(f"{_SET_ASIDE}{image.digest}-{secrets.token_hex(4)}")))
        except FileNotFoundError:
            return None

    def put_back(self, aside: Stored) -> None:
        """Give an image that is set aside its name again, unless another has it by now."""
        path = self.path(aside.digest)
        with suppress(FileNotFoundError):  # another was faster
            if path.exists():
                Path(aside.name).unlink()
            else:
                Path(aside.name).rename(path)
        _sync_folder(path.parent)

    def remove(self, files: Sequence[Stored]) -> None:
        """Remove what is set aside or unfinished; another gc may have been faster."""
        for file in files:
            Path(file.name).unlink(missing_ok=True)

    def restore(self, digest: str) -> bool:
        """Put the image back where it is set aside; False when it is not."""
        aside = [file for path in self.path(digest).parent.glob(f"{_SET_ASIDE}{digest}-*") if (file := _look(path))]
        for file in aside:
            self.put_back(file)
        return bool(aside)

    def _files(self, names: re.Pattern[str]) -> Iterator[Stored]:
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            for name in sorted(filter(names.fullmatch, os.listdir(folder))):  # noqa: PTH208 - smaller than paths
                if file := _look(folder / name):
                    yield file

    # -- folders ---------------------------------------------------------------------------------------------------

    def _make_folder(self, folder: Path) -> None:
        """Make one of the 256 folders where it is not there.

        Its name is flushed to disk, once per process also when it was there: another may have made it a moment ago.
        """
        if folder in self._on_disk and folder.is_dir():
            return
        _make_durably(self.folder)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(self.folder)
        self._on_disk.add(folder)


def _look(path: Path) -> Stored | None:
    """Return the file as it is now; None when it is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    digest = "" if path.name.startswith(_UNFINISHED) else path.name.removeprefix(_SET_ASIDE)[:64]
    return Stored(str(path), digest, found.st_size, found.st_mtime)


def _renewed(path: Path, content: bytes) -> bool:
    """Tell whether the file holds the content; then it is on disk, and as young as if it had just been written."""
    try:
        with path.open("rb") as file:
            if file.read() != content:
                return False
            os.utime(path)  # by its name, not its handle: this fails when the file was set aside since it was opened
            os.fsync(file.fileno())
    except FileNotFoundError:
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _make_durably(folder: Path) -> None:
    """Make a folder and those above it; what was made has its name on disk."""
    if folder.is_dir():
        return
    _make_durably(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
