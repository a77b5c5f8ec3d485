"""The settings of the farm: read from the environment and `.env`, checked once, each with one name and one default."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.errors import WrongCall

PREFIX = "FARM_"


class Settings(BaseSettings):
    """Where the farm keeps its state and how long it waits; what shapes a result is stored in the run instead."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    home: Annotated[Path, Field(description="folder of the farm's state")] = Path("farm")
    database_url: Annotated[SecretStr | None, Field(description="the ledger; unset: SQLite in FARM_HOME/farm.db")] = (
        None
    )
    broker_url: Annotated[
        SecretStr | None, Field(description="the Redis server; unset: the embedded broker of FARM_HOME, else localhost")
    ] = None
    images: Annotated[Path | None, Field(description="the image store; unset: FARM_HOME/images")] = None
    lease_seconds: Annotated[int, Field(ge=5, le=3600, description="how long a claim holds without being renewed")] = 30
    grace_seconds: Annotated[
        int, Field(ge=1, le=86400, description="how long a worker that is told to stop may finish its job")
    ] = 60
    linger_seconds: Annotated[float, Field(ge=0, le=10, description="how long a scorer waits for a batch to fill")] = (
        0.2
    )
    loads_at_once: Annotated[int, Field(ge=1, le=64, description="models that one host loads at once")] = 1
    host_reserve_gb: Annotated[
        float, Field(ge=0, description="host memory in GB (1e9 bytes) that loading and parking models leave free")
    ] = 4.0
    judge_api_key: Annotated[
        SecretStr | None, Field(description="key for the server behind the scorer `api`; never logged or stored")
    ] = None
    log_format: Annotated[
        str, Field(pattern="^(auto|text|json)$", description="auto: text on a terminal, JSON lines elsewhere")
    ] = "auto"

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
    def image_folder(self) -> Path:
        """The absolute path of the image store."""
        return (self.images or self.home_path / "images").expanduser().absolute()


@cache
def settings() -> Settings:
    """Return the settings of this process. Raises WrongCall naming the variable that does not hold."""
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + "_".join(str(part) for part in fault["loc"]).upper()
        raise WrongCall(f"{name}: {fault['msg'][:1].lower()}{fault['msg'][1:]}") from error


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
