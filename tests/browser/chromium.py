"""Where Chromium is on this machine; as root on Debian it is installed when it is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
INSTALL_SECONDS = 240
_LOCK = Path(tempfile.gettempdir()) / f"editfarm-chromium-{os.geteuid()}.lock"

FLAGS = (
    "--no-sandbox",  # which Chromium refuses to do without as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class NoBrowser(Exception):
    """There is no Chromium, and none can be had: the message says why."""


def find_or_install() -> Path:
    """Return Chromium's program. Raises NoBrowser."""
    found = _find()
    if found is None:
        with FileLock(
            Path(tempfile.gettempdir()) / f"editfarm-chromium-{os.geteuid()}.lock"
        ):  # tests run in several processes
            found = _find() or _install()
    return found


def _find() -> Path | None:
    paths = filter(None, map(shutil.which, NAMES))
    return next(map(Path, paths), None)


def _install() -> Path:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NoBrowser(
            f"none of {', '.join(NAMES)} is on PATH, and only root may install it: apt-get install chromium"
        )
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        try:
            _apt(command)
        except (subprocess.SubprocessError, OSError) as error:
            raise NoBrowser(f"chromium is not on PATH, and apt-get {command[0]} failed: {error}") from error
    found = _find()
    if found is None:
        raise NoBrowser("apt-get installed chromium, but it is not on PATH")
    return found


def _apt(command: list[str]) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", *command], env=quiet, capture_output=True, check=True, timeout=INSTALL_SECONDS)
