"""Flower as a test of a whole farm starts it and reads it."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from functools import cached_property
from typing import Any

import psutil

from tests.farm.conftest import FarmUnderTest, eventually


class Dashboard:
    """The farm's Flower on a free port; with a login, `NAME:PASSWORD`, for those who have it."""

    def __init__(self, farm: FarmUnderTest, *, login: str = "", **environment: str) -> None:
        self._farm, self._login = farm, login
        if login:
            environment["FLOWER_BASIC_AUTH"] = login
        command = ("-m", "celery", "-A", "workers", "flower", "--port=0")
        self.process = farm.start(*command, log="flower", **environment)

    @cached_property
    def address(self) -> tuple[str, int]:
        """Where it listens, once it does."""
        return tuple(eventually(self._listening, farm=self._farm))

    def _listening(self) -> tuple[str, int] | None:
        connections = psutil.Process(self.process.pid).net_connections("tcp")
        return next((one.laddr for one in connections if one.status == psutil.CONN_LISTEN), None)

    def page(self, path: str, *, login: str | None = None) -> tuple[int, bytes]:
        """Return the status and the page, asked for with its own login or another; an empty one: with none."""
        given = self._login if login is None else login
        headers = {"Authorization": f"Basic {base64.b64encode(given.encode()).decode()}"} if given else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.address[1]}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def said(self, path: str) -> Any:
        """Return what its API says there."""
        return json.loads(self.page(path)[1])
