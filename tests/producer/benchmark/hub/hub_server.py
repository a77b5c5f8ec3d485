"""A Hub for the tests: a real HTTP server that speaks the few endpoints that data sets and models are read by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import huggingface_hub
import pytest
from huggingface_hub import constants

MAIN = "main"


def commit_of(name: str) -> str:
    """Return a commit's hash."""
    return hashlib.sha1(name.encode()).hexdigest()


@dataclass
class Hosted:
    """A repository: its files by commit, and the commits by the revisions' names; `token` opens it where it is gated.

    Of what is listed `vanished` files are gone, and `cut` files come with fewer bytes than they are said to have.
    """

    commits: dict[str, Mapping[str, bytes]]
    revisions: dict[str, str]
    token: str | None = None
    vanished: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    status: int | None = None

    def push(self, name: str, files: Mapping[str, bytes], revision: str = MAIN) -> str:
        """Make a commit of these files, which the revision stands for from now on; return its hash."""
        commit = commit_of(name)
        self.commits[commit] = files
        self.revisions[revision] = commit
        return commit


class Hub:
    """The repositories by their ids, and what was asked for."""

    def __init__(self) -> None:
        self.repositories: dict[str, Hosted] = {}
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.url = ""

    def add(self, dataset_id: str, files: Mapping[str, bytes], **given: Any) -> Hosted:
        """Host a repository whose main branch has these files."""
        hosted = Hosted({}, {}, **given)
        hosted.push(dataset_id, files)
        self.repositories[dataset_id] = hosted
        return hosted

    def fetched(self) -> list[str]:
        """Return the paths of the files that were given out, sorted."""
        given = (path.partition("/resolve/")[2] for path in self.asked if path.startswith("GET /datasets"))
        return sorted(path.partition("/")[2] for path in given)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve it until the block ends."""

    class Handler(_Handler):
        pass

    Handler.hub = hub
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hub
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body would wait for the headers to be acknowledged, 40 ms

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""

    def _answer(self) -> None:
        path = urlsplit(self.path).path.removeprefix("/")
        self.hub.asked.append(f"{self.command} /{path}")
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        self.hub.tokens.add(token)
        kind, *parts = path.removeprefix("api/").split("/")
        if "resolve" in parts[:2]:  # a model's files lie at the top
            kind, parts = "models", [kind, *parts]
        hosted = self.hub.repositories.get("/".join(parts[:2])) if kind in ("datasets", "models") else None
        if hosted is None:
            self._refuse(401, "RepoNotFound")  # as the Hub does for whoever is not logged in
        elif hosted.status is not None:
            self._refuse(hosted.status, None)
        elif len(parts) < 4:
            self._about("/".join(parts), hosted, MAIN)
        elif parts[2] == "revision":
            self._about("/".join(parts[:2]), hosted, unquote(parts[3]))
        elif hosted.token not in (None, token):
            self._refuse(401, "GatedRepo")
        elif parts[2] == "tree":
            files = hosted.commits[parts[3]]
            self._json([{"type": "file", "path": name, "size": len(files[name]), "oid": "0"} for name in files])
        else:
            self._file(hosted, parts[3], unquote("/".join(parts[4:])))

    def _about(self, dataset_id: str, hosted: Hosted, revision: str) -> None:
        commit = hosted.revisions.get(revision, revision)
        if commit not in hosted.commits:
            self._refuse(404, "RevisionNotFound")
            return
        self._json({"id": dataset_id, "sha": commit, "siblings": [], "tags": [], "private": False})

    def _file(self, hosted: Hosted, commit: str, name: str) -> None:
        commit = hosted.revisions.get(commit, commit)
        content = hosted.commits.get(commit, {}).get(name)
        if content is None or name in hosted.vanished:
            self._refuse(404, "EntryNotFound")
            return
        etag = hashlib.sha256(content).hexdigest()
        self._send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": commit}, cut=name in hosted.cut)

    def _json(self, content: object) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str | None) -> None:
        self._send(status, b"{}", {"X-Error-Code": code} if code else {})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str], *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut


@contextmanager
def asked_by_this_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a Hub without repositories, which this process asks, with an empty cache and no token."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hf" / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with serving(Hub()) as served:
        ask_at(served.url, monkeypatch)
        yield served
        huggingface_hub.close_session()


def ask_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process ask the Hub at this address."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
