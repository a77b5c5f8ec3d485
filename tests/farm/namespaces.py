"""Hosts of a network of their own, made of Linux network namespaces: connections between them can be cut in silence.

Root only. The hosts share the file system, and Unix sockets with it; they share no port and no loopback.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

END_SECONDS = 10


class NoNamespaces(Exception):
    """This process may not make network namespaces here; the message says why."""


class Hosts:
    """Named hosts around one router; a context manager, at whose end all their processes and they themselves are gone.

    Nothing can be reached from them but each other, by `address`.
    """

    def __init__(self, *names: str) -> None:
        self._numbers = {name: number for number, name in enumerate(names, start=1)}
        self._network = f"farm-{os.getpid()}-{secrets.token_hex(3)}"
        self._router = f"{self._network}-router"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._cut: set[str] = set()

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise NoNamespaces("only root may make network namespaces")
        if shutil.which("ip") is None:
            raise NoNamespaces("there is no `ip` here: install iproute2")
        try:
            self._build()
        except subprocess.CalledProcessError as error:
            self._remove()
            raise NoNamespaces(f"{' '.join(error.cmd)}: {error.stderr.decode(errors='replace').strip()}") from error
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._processes:
            process.wait(END_SECONDS)
        self._remove()

    def address(self, host: str) -> str:
        """Return the host's IP address, the same from everywhere."""
        return f"10.77.{self._numbers[host]}.2"

    def run_in(
        self,
        host: str,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        log: Path | None = None,
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        """Start a process on the host, in a process group of its own; its output is added to a log file.

        The environment is this process's with what is given in its place.
        """
        with (log or Path(os.devnull)).open("ab") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self._namespace(host), *command],
                env={**os.environ, **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def cut(self, host: str) -> None:
        """Drop whatever goes to this host or comes from it, without a word to either side."""
        if host not in self._cut:
            self._cut.add(host)
            self._switch("add", host)

    def heal(self, host: str) -> None:
        """Pass it on again."""
        if host in self._cut:
            self._cut.discard(host)
            self._switch("del", host)

    def _switch(self, verb: str, host: str) -> None:
        for direction in ("from", "to"):
            _ip("-n", self._router, "rule", verb, direction, self.address(host), "blackhole")

    def _namespace(self, host: str) -> str:
        return f"{self._network}-{self._numbers[host]}"

    def _build(self) -> None:
        _ip("netns", "add", self._router)
        _ip("netns", "exec", self._router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        for host, number in self._numbers.items():
            namespace, gateway = self._namespace(host), f"10.77.{number}.1"
            _ip("netns", "add", namespace)
            _ip("-n", self._router, "link", "add", f"to{number}", "type", "veth", "peer", "eth0", "netns", namespace)
            _ip("-n", self._router, "address", "add", f"{gateway}/30", "dev", f"to{number}")
            _ip("-n", self._router, "link", "set", f"to{number}", "up")
            _ip("-n", namespace, "address", "add", f"{self.address(host)}/30", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", namespace, "link", "set", device, "up")
            _ip("-n", namespace, "route", "add", "default", "via", gateway)

    def _remove(self) -> None:
        for namespace in [*map(self._namespace, self._numbers), self._router]:
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True)  # its links go with it


@contextmanager
def hosts_or_skip(*names: str) -> Iterator[Hosts]:
    """Have these hosts for the block; skip the test, with the reason, where they may not be made."""
    with ExitStack() as stack:
        try:
            hosts = stack.enter_context(Hosts(*names))
        except NoNamespaces as reason:
            pytest.skip(f"needs network namespaces: {reason}")
        yield hosts


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
