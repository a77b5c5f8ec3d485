"""Where a model's weights are, how large and which: a local folder, or a snapshot from the Hugging Face hub."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    DryRunError,
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from db.errors import first_line
from workers.models.errors import ModelFault

EVERYTHING = ("*",)
PIPELINE = ("model_index.json", "*/*")
"""A pipeline's files: its parts lie in folders; weights beside them are other packings of the same."""

_NOT_LOADED = ["*.bin", "*.pt", "*.pth", "*.ckpt", "*.msgpack", "*.h5", "*.onnx", "*.gguf", "original/*"]
_DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
_PIECES = 16
_PIECE_BYTES = 1 << 16
_HEADER_LENGTH_BYTES = 8  # a safetensors file: the header's length, the header as JSON, the tensors


def weights_folder(model: str, revision: str | None, files: Sequence[str] = EVERYTHING) -> Path:
    """Return the folder of the weights; of a hub id the snapshot, into which what is missing of `files` is fetched.

    Without a network the cache must hold all of them. Raises OSError, before anything is fetched, where the disk has
    no room for it.
    """
    if Path(model).is_dir():
        return Path(model)
    try:
        if folder_at_hand(model, revision, files) is None:
            _require_room(model, revision, files)
        return _snapshot(model, revision, files)
    except (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise ModelFault(f"{model} cannot be fetched: {first_line(error)}") from error


def folder_at_hand(model: str, revision: str | None, files: Sequence[str] = EVERYTHING) -> Path | None:
    """Return the folder if all of it is on this machine."""
    if Path(model).is_dir():
        return Path(model)
    try:
        return _snapshot(model, revision, files, local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def _require_room(model: str, revision: str | None, files: Sequence[str]) -> None:
    """Raise OSError where what is missing is larger than the disk has room for: else it would fail after an hour."""
    try:
        listed = snapshot_download(
            model, revision=revision, allow_patterns=[*files], ignore_patterns=_NOT_LOADED, dry_run=True
        )
    except DryRunError:  # nobody answers: to say so is left to whoever fetches
        return
    missing = sum(file.file_size for file in listed if file.will_download)
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if missing > free:
        raise OSError(
            errno.ENOSPC, f"{missing / 1e9:.1f} GB are to be fetched, and {cache} has {free / 1e9:.1f} GB free"
        )


def _snapshot(model: str, revision: str | None, files: Sequence[str], *, local_files_only: bool = False) -> Path:
    return Path(
        snapshot_download(
            model,
            revision=revision,
            allow_patterns=[*files],
            ignore_patterns=_NOT_LOADED,
            local_files_only=local_files_only,
        )
    )


def weight_bytes(folder: Path) -> int:
    """Return the size of all weights in the folder, in bytes on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def largest_file_bytes(folder: Path) -> int:
    """Return the size of the largest file of weights: what the host holds at a time on their way to a GPU."""
    return max((path.stat().st_size for path in folder.rglob("*.safetensors")), default=0)


def stored_dtype(folder: Path) -> str:
    """Return the type of the first tensor in the folder, `bfloat16` where it is none of torch's usual ones."""
    for path in sorted(folder.glob("*.safetensors")):
        for name, tensor in _header(path).items():
            if name != "__metadata__":
                return _DTYPES.get(tensor["dtype"], "bfloat16")
    return "bfloat16"


def weights_identity(folder: Path) -> str:
    """Return what tells these weights from others under the same name.

    Of a hub snapshot its commit. Of any other folder a sha-256 over its configuration files and over sixteen pieces of
    each weight file, spread evenly: reading sixty gigabytes would take longer than loading them.
    """
    if folder.parent.name == "snapshots":
        return f"commit {folder.name}"
    sha = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".safetensors"):
            sha.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
            for piece in _pieces(path):
                sha.update(piece)
    return f"pieces {sha.hexdigest()[:16]}"


def _pieces(path: Path) -> Iterator[bytes]:
    distance = max(_PIECE_BYTES, path.stat().st_size // _PIECES)
    with path.open("rb") as file:
        for start in range(0, path.stat().st_size, distance):
            file.seek(start)
            yield file.read(_PIECE_BYTES)


def _header(path: Path) -> dict[str, dict[str, str]]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_HEADER_LENGTH_BYTES), "little")
        header: dict[str, dict[str, str]] = json.loads(file.read(length))
    return header
