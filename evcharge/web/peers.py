"""How one worker asks another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import aiohttp
from aiohttp import web
from yarl import URL

from evcharge.web.problems import PROBLEM_JSON

PREFIX = "/peer"
"""Paths below it are answered from the asked worker's own tables or not at all.

They never ask on, so two workers that disagree about who owns what cannot send a question to and fro.
"""

MARK = "X-Evcharge-Peer"
"""The header of an answer to such a question, and of nothing else.

Whatever else listens where a worker should be (a proxy, a release without these paths) says 404 too, and
knows nothing of the station.
"""

_MEDIA_TYPES = frozenset({"application/json", PROBLEM_JSON})


async def mark_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Mark an answer to another worker (a signal of aiohttp, so that problems have it too)."""
    resource = request.match_info.route.resource
    if resource is not None and resource.canonical.startswith(f"{PREFIX}/"):
        response.headers[MARK] = "1"


class PeerError(Exception):
    """A worker gave no answer in time."""


class PeerAnswer(NamedTuple):
    """What another worker said."""

    status: int
    content_type: str
    body: bytes


class Peers:
    """The other workers, over HTTP."""

    def __init__(
        self,
        url: str,
        session: Callable[[], aiohttp.ClientSession],
        *,
        timeout_s: float = 2.0,
        attempts: int = 3,
        pause_s: float = 0.1,
        hedge_s: float = 0.25,
        list_hedge_s: float = 1.0,
        copy_timeout_s: float = 1.0,
    ) -> None:
        self.url = url
        """How this worker is named in ``StateReader.owners``."""
        self._session = session
        self.timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.attempts = attempts
        """How often the owner of a key is looked up and asked before giving up."""
        self.pause_s = pause_s
        """Seconds between two attempts."""
        self.hedge_s = hedge_s
        """Seconds that an owner may take for one key before a copy is asked too."""
        self.list_hedge_s = list_hedge_s
        """The same for a list: it may be long, and must not be made twice for that."""
        self.copy_timeout_s = copy_timeout_s
        """Seconds that workers are given to answer from their copies."""

    def elsewhere(self, url: str) -> bool:
        """Whether an owner is another worker than this one, however its address is written."""
        return URL(url).origin() != URL(self.url).origin()

    async def get(self, url: str, path: str, query: Mapping[str, str]) -> PeerAnswer:
        """Ask one worker.

        Raises:
            PeerError: it cannot be reached, does not answer in time, or another program answers.
        """
        # The path is of our own making (ids were checked), never the client's text.
        target = URL(url).with_path(PREFIX + path).with_query(query)
        try:
            async with self._session().get(
                target, timeout=self.timeout, allow_redirects=False
            ) as response:
                if MARK not in response.headers or response.content_type not in _MEDIA_TYPES:
                    raise PeerError(f"{url} is no worker: it answered {response.status} unmarked")
                return PeerAnswer(response.status, response.content_type, await response.read())
        except (TimeoutError, aiohttp.ClientError, OSError) as problem:
            raise PeerError(f"{url} did not answer: {problem!r}") from problem
