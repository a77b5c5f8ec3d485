"""From what FARM_IMAGES says to an image store: a folder, or a bucket by its URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from db.errors import WrongCall
from db.images.folder import FolderStore
from db.images.remote import RemoteStore
from db.images.store import ImageStore

CONNECT_SECONDS = 5
READ_SECONDS = 20
"""How long a server may leave a request without a byte of its answer."""


@dataclass(frozen=True)
class _Protocol:
    """Which package speaks a protocol, how it is installed, and what it is told."""

    package: str
    install: str
    options: dict[str, Any]


def _spoken_by(package: str) -> _Protocol:
    return _Protocol(package, package, {})


_S3 = _Protocol(
    "s3fs",
    "'editfarm[s3]'",
    {
        # an image is read in one request, not after one that asks for its size
        "max_concurrency": 1,
        # boto tries again what a server answers when it is busy, s3fs what breaks amid an answer; twice each
        "config_kwargs": {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"mode": "standard", "total_max_attempts": 2},
            "max_pool_connections": 32,
        },
    },
)
_PROTOCOLS = {
    "s3": _S3,
    "gs": _spoken_by("gcsfs"),
    "az": _spoken_by("adlfs"),
    "abfs": _spoken_by("adlfs"),
    "oss": _spoken_by("ossfs"),
}
"""Those whose objects appear whole or not at all. Of a file system over the network, as sftp, nobody promises that."""


def open_store(address: str) -> ImageStore:
    """Return the image store at a path or URL; no server is asked yet. Raises WrongCall for one that cannot be."""
    protocol, found, rest = address.partition("://")
    if not found:
        return FolderStore(Path(address).expanduser().absolute())
    if protocol == "file":
        return FolderStore(Path(rest))
    if protocol not in _PROTOCOLS:
        known = ", ".join(f"{one}://" for one in _PROTOCOLS)
        raise WrongCall(f"FARM_IMAGES={address}: expected a folder, or one of {known}")
    speaker = _PROTOCOLS[protocol]
    if not re.fullmatch(r"[^/*?\[\]]+(/[^/*?\[\]]+)*/?", rest):
        raise WrongCall(f"FARM_IMAGES={address}: expected {protocol}://BUCKET/PREFIX, without any of * ? [ ]")
    if find_spec("fsspec") is None or find_spec(speaker.package) is None:
        raise WrongCall(f"FARM_IMAGES={address}: {speaker.package} is not installed: pip install {speaker.install}")
    return RemoteStore(protocol, rest, partial(_open_files, protocol, speaker.options))


def _open_files(protocol: str, options: dict[str, Any]) -> Any:
    import fsspec

    files = fsspec.filesystem(protocol, skip_instance_cache=True, use_listings_cache=False, **options)
    if protocol == "s3":
        files.retries = 2
    return files
