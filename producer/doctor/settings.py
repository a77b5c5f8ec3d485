"""Whether the settings can be read, and whether others can read what they must not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from db.settings import faulty_settings, given_settings, known_settings
from producer.doctor.disks import nearest
from producer.doctor.finding import Found, State, Trouble, fine

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

_SECRETS = ("PASSWORD", "KEY", "URL", "TOKEN", "AUTH")

WRONG = Trouble(
    State.FAULT,
    "a setting has a value that it cannot have: no command and no worker starts",
    "set {name} right, or unset it for its default; then ask again, as little else can be looked at",
)
MISSPELT = Trouble(State.WARNING, "a variable is called nearly like a setting", "rename {name} to {right}")
UNKNOWN = Trouble(
    State.WARNING,
    "a variable is called like a setting and is none",
    "unset {name}; docs/reference/settings.md has all there are",
)
HOME_OPEN = Trouble(State.WARNING, "other users of this machine can look into FARM_HOME", "`chmod 700 {path}`")
HOME_CLOSED = Trouble(
    State.FAULT, "FARM_HOME cannot be written", "`chown -R {uid} {path}`, or set FARM_HOME to a folder of this user"
)
HOME_CANNOT_BE_MADE = Trouble(
    State.FAULT,
    "FARM_HOME is not there, and this user may not make it",
    "`install -d -m 700 -o {uid} {path}` as an administrator, or set FARM_HOME to a folder of this user",
)
HOME_NOT_THERE = Trouble(State.NOTE, "FARM_HOME is not there yet", "nothing to do: the first run makes it, private")
ENV_OPEN = Trouble(State.WARNING, "other users of this machine can read the secrets in .env", "`chmod 600 {path}`")


def readable(_sights: Sights) -> Iterator[Found]:
    """Read every setting by itself, and look for names that are none."""
    faults = faulty_settings()
    for name, fault in faults.items():
        yield WRONG(f"{name}: {fault}", name=name)
    known = [f"FARM_{name.upper()}" for name in known_settings()]
    given = given_settings()
    strange = [name for name in given if name not in known]
    for name in strange:
        close = get_close_matches(name, known, n=1)
        seen = f"{name} is not a setting"
        yield MISSPELT(seen, name=name, right=close[0]) if close else UNKNOWN(seen, name=name)
    if not faults and not strange:
        count = len(given)
        yield fine(f"{count or 'none'} set{'' if count else ', all at their defaults'}")


def home(sights: Sights) -> Iterator[Found]:
    """Look at the folder of the farm's state: whose it is and who can look into it."""
    path = sights.settings().home_path
    there = nearest(path)
    if not os.access(there, os.W_OK | os.X_OK):
        trouble = HOME_CLOSED if there == path else HOME_CANNOT_BE_MADE  # never have a folder of others given away
        yield trouble(f"{there}: uid {os.geteuid()} may not write it", uid=os.geteuid(), path=quote(str(path)))
    elif there != path:
        yield HOME_NOT_THERE(f"no folder {path}")
    elif path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield HOME_OPEN(f"{path} has mode {_mode(path)}", path=quote(str(path)))
    else:
        yield fine(f"{path}, private")


def env_file(_sights: Sights) -> Iterator[Found]:
    """See who can read the secrets in the `.env` of this folder."""
    file = Path(".env")
    if not file.is_file():
        return
    holds_secrets = any(word in line.partition("=")[0].upper() for line in _lines(file) for word in _SECRETS)
    if holds_secrets and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield ENV_OPEN(f"{file.absolute()} has mode {_mode(file)}", path=quote(str(file.absolute())))
    else:
        yield fine("others cannot read it" if holds_secrets else "holds no secret")


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(errors="replace").splitlines() if not line.lstrip().startswith("#")]


def _mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):03o}"
