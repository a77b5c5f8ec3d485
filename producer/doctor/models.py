"""Whether what the waiting runs need is on this host: weights, and a judge behind a server if that is asked."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from typing import TYPE_CHECKING

from db.catalogue import find_spec
from db.errors import WrongCall, first_line
from db.options import ApiJudgeOptions
from producer.doctor.disks import in_gigabytes, room
from producer.doctor.finding import Found, State, Trouble, Unseen, fine
from producer.doctor.weights import Weights, hub_cache

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

SERVER_SECONDS = 5.0
MUCH_BYTES = 60_000_000_000
"""What the largest presets take in the cache, about."""

NOT_HERE = Trouble(
    State.WARNING,
    "weights of a waiting run are not on this host: the first worker that needs them fetches them, and waits",
    "`{command}`, on each host with workers or into a cache (HF_HOME) that they share",
)
NOT_HERE_OFFLINE = Trouble(
    State.FAULT,
    "weights of a waiting run are not on this host, and HF_HUB_OFFLINE forbids to fetch them",
    "`HF_HUB_OFFLINE=0 {command}`, or copy the cache of a host that has them",
)
NO_FOLDER = Trouble(
    State.FAULT,
    "the folder of a run's weights is not on this host, or not whole",
    "copy the weights to {source}, at the same path on each host with workers",
)
CACHE_FULL = Trouble(
    State.WARNING,
    "there may be no room for weights that are still to be fetched",
    "free {bytes} there (`hf cache ls`), or set HF_HOME to a folder on another disk",
)
NO_KEY = Trouble(
    State.NOTE,
    "a waiting run has a judge behind a server, and no key for it is set here",
    "right for a server of your own without a login; else `FARM_JUDGE_API_KEY=...` in the .env of every worker",
)
NO_JUDGE = Trouble(
    State.FAULT,
    "the server behind a judge does not answer, or refuses the key",
    "see that `curl {url}` answers from here; set FARM_JUDGE_API_KEY right; {url} is stored in the run",
)


def weights(sights: Sights) -> Iterator[Found]:
    """Look for the weights of waiting runs, and of the models that were named, on this host."""
    found = sights.weights()
    for one in found:
        lacking = one.lacking()
        if lacking is None:
            yield fine(f"{one.name}: {one.source} is here, {in_gigabytes(one.size_bytes())}")
        else:
            yield _not_here(one, lacking)
    if not found and not isinstance(sights.ledger.tried(), Exception):
        yield fine("no waiting run needs any; --model NAME looks for some")


def cache_space(sights: Sights) -> Iterator[Found]:
    """See whether there is room for weights that are still to be fetched."""
    if all(one.lacking() is None for one in sights.weights()):
        raise Unseen
    left = room(hub_cache()).free_bytes
    seen = f"{in_gigabytes(left)} free at {hub_cache()}"
    yield CACHE_FULL(seen, bytes=in_gigabytes(MUCH_BYTES)) if left < MUCH_BYTES else fine(seen)


def judges(sights: Sights) -> Iterator[Found]:
    """See whether the judges of waiting runs that are behind a server can be asked."""
    key = sights.settings().judge_api_key
    for url in _judge_urls(sights):
        if sights.asks_judges:
            fault = _ask(f"{url}/models", key.get_secret_value().strip() if key else "")
            yield NO_JUDGE(f"{url}: {fault}", url=f"{url}/models") if fault else fine(f"{url} answers")
        elif key is None:
            yield NO_KEY(f"FARM_JUDGE_API_KEY is not set, and {url} is to be asked")
        else:
            yield fine(f"FARM_JUDGE_API_KEY is set for {url}; --ask-judges sees whether it answers")


def _not_here(one: Weights, lacking: str) -> Found:
    seen = f"{one.name}: {lacking} is missing"
    if one.source.startswith(("/", "~", ".")):
        return NO_FOLDER(seen, source=one.source)
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return NOT_HERE_OFFLINE(seen, command=one.command)
    return NOT_HERE(seen, command=one.command)


def _judge_urls(sights: Sights) -> list[str]:
    urls: dict[str, None] = {}
    for role, choice in sights.ledger().models:
        try:
            behind_server = issubclass(find_spec(role, choice.name).options, ApiJudgeOptions)
        except WrongCall:  # a plug-in that is not on this host
            continue
        if behind_server:
            urls[str(choice.options["base_url"])] = None
    return list(urls)


def _ask(url: str, key: str) -> str | None:
    """Return what is wrong with the server, None where it answers; the key goes to it alone, and into no message."""
    if not (key.isascii() and key.isprintable()):
        return "FARM_JUDGE_API_KEY holds a character that no header can carry; expected printable ASCII"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=SERVER_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return None if error.code == 404 else f"HTTP {error.code}"  # a server that lists no models is there
    except (OSError, ValueError, HTTPException) as error:
        return first_line(error)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Lets a redirect be the answer: the library would take the key along, to whatever host it names."""

    def redirect_request(self, *_: object) -> None:
        """Make no request of it."""
