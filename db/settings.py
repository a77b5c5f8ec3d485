"""The settings of the farm: read from the environment and `.env`, checked once, each with one name and one default.

Plain Python, because every worker's parent reads them: pydantic would be a tenth of its memory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from db.errors import WrongCall

PREFIX = "FARM_"


class Secret:
    """Text that is shown to nobody who does not ask for it."""

    def __init__(self, hidden: str) -> None:
        self._hidden = hidden

    def __repr__(self) -> str:
        return "Secret(***)"

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._hidden


@dataclass(frozen=True)
class Setting:
    """What is known of one; `read` makes its value of text, or raises ValueError saying what it should be."""

    description: str
    read: Callable[[str], object]


def _number(kind: type[int] | type[float], least: float, most: float | None = None) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            number = kind(text)
        except ValueError:
            raise ValueError(f"input should be a valid {'integer' if kind is int else 'number'}") from None
        if not number >= least:
            raise ValueError(f"input should be greater than or equal to {least}")
        if most is not None and number > most:
            raise ValueError(f"input should be less than or equal to {most}")
        return number

    return read


def _one_of(*choices: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        if text not in choices:
            raise ValueError(f"input should be {'|'.join(choices)}")
        return text

    return read


def _prefix(text: str) -> object:
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", text):
        raise ValueError("input should be 1 to 64 letters, digits or any of _ . : -")
    return text


def _store(text: str) -> object:
    if "://" in text and "@" in text:
        raise ValueError("a URL must hold no user and no password: they come from the environment of its protocol")
    return text


@dataclass(frozen=True)
class Settings:
    """Where the farm keeps its state and how long it waits; what shapes a result is stored in the run instead."""

    home: Annotated[Path, Setting("folder of the farm's state", Path)] = Path("farm")
    database_url: Annotated[Secret | None, Setting("the ledger; unset: SQLite in FARM_HOME/farm.db", Secret)] = None
    broker_url: Annotated[
        Secret | None, Setting("the Redis server; unset: the embedded broker of FARM_HOME, else localhost", Secret)
    ] = None
    broker_prefix: Annotated[
        str, Setting("stands before every name in Redis, so that several farms share one server", _prefix)
    ] = ""
    images: Annotated[
        str | None,
        Setting("the image store: a folder, or a URL as s3://bucket/prefix; unset: FARM_HOME/images", _store),
    ] = None
    lease_seconds: Annotated[int, Setting("how long a claim holds without being renewed", _number(int, 5, 3600))] = 30
    grace_seconds: Annotated[
        int, Setting("how long a worker that is told to stop may finish its job", _number(int, 1, 86400))
    ] = 60
    linger_seconds: Annotated[float, Setting("how long a scorer waits for a batch to fill", _number(float, 0, 10))] = (
        0.2
    )
    loads_at_once: Annotated[int, Setting("models that one host loads at once", _number(int, 1, 64))] = 1
    host_reserve_gb: Annotated[
        float, Setting("host memory in GB (1e9 bytes) that loading and parking models leave free", _number(float, 0))
    ] = 4.0
    judge_api_key: Annotated[
        Secret | None, Setting("key for the server behind the scorer `api`; never logged or stored", Secret)
    ] = None
    log_format: Annotated[
        str, Setting("auto: text on a terminal, JSON lines elsewhere", _one_of("auto", "text", "json"))
    ] = "auto"
    metrics_port: Annotated[
        int | None,
        Setting(
            "port of the first worker's Prometheus metrics, the others take the next ones; unset: none",
            _number(int, 1, 65535),
        ),
    ] = None
    metrics_address: Annotated[str, Setting("address that the metrics listen on", str)] = "127.0.0.1"
    heartbeat_file: Annotated[
        Path | None, Setting("file that a healthy worker touches every few seconds, for health checks", Path)
    ] = None

    @property
    def home_path(self) -> Path:
        """The absolute path of FARM_HOME."""
        return self.home.expanduser().absolute()

    @property
    def database(self) -> str:
        """The database URL in use, password included."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home_path / 'farm.db'}"

    @property
    def image_store(self) -> str:
        """The absolute path of the image store, or its URL."""
        if self.images is not None and "://" in self.images:
            return self.images
        return str(Path(self.images or self.home_path / "images").expanduser().absolute())


@cache
def settings() -> Settings:
    """Return the settings of this process. Raises WrongCall naming the variable that does not hold."""
    given = given_settings()
    return Settings(
        **{name: _read(name, one, given) for name, one in known_settings().items() if _named(name) in given}
    )


def given_settings() -> Mapping[str, str]:
    """Return every variable that is called like a setting, by its full name, whether there is such a setting or not."""
    return {**_filled(_env_file()), **_filled(os.environ)}


def faulty_settings() -> dict[str, str]:
    """Return what is wrong with each setting that cannot be read, by its full name."""
    given, faults = given_settings(), {}
    for name, setting in known_settings().items():
        try:
            setting.read(given.get(_named(name), ""))
        except ValueError as error:
            if _named(name) in given:
                faults[_named(name)] = str(error)
    return faults


def known_settings() -> dict[str, Setting]:
    """Return every setting by its name in the code."""
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()}


def _read(name: str, setting: Setting, given: Mapping[str, str]) -> Any:
    try:
        return setting.read(given[_named(name)])
    except ValueError as error:
        raise WrongCall(f"{_named(name)}: {error}") from error


def _named(name: str) -> str:
    return PREFIX + name.upper()


def _filled(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return ours of these; one that is empty counts as unset."""
    return {name: value for name, value in variables.items() if name.startswith(PREFIX) and value}


def _env_file() -> Mapping[str, str | None]:
    if not Path(".env").is_file():
        return {}
    from dotenv import dotenv_values

    return dotenv_values(".env")


def farm_home() -> Path:
    """Return FARM_HOME as an absolute path, made private to this user when it is not there yet."""
    path = settings().home_path
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def make_private(file: Path) -> None:
    """Make the file, empty, for this user alone, where there is none; what is written into it later stays private.

    A folder that the user made keeps the permissions it has, and so may let others look into it.
    """
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
