"""How one worker asks another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import aiohttp
from yarl import URL

PREFIX = "/peer"
"""Paths below it are answered from the asked worker's own tables or not at all.

They never ask on, so two workers that disagree about who owns what cannot send a question to and fro.
"""


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
    ) -> None:
        self.url = url
        """How this worker is named in ``StateReader.owners``."""
        self._session = session
        self.timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.attempts = attempts
        """How often the owner of a key is looked up and asked before giving up."""
        self.pause_s = pause_s
        """Seconds between two attempts."""

    def elsewhere(self, url: str) -> bool:
        """Whether an owner is another worker than this one, however its address is written."""
        return URL(url).origin() != URL(self.url).origin()

    async def get(self, url: str, path: str, query: Mapping[str, str]) -> PeerAnswer:
        """Ask one worker.

        Raises:
            PeerError: it cannot be reached or does not answer in time.
        """
        # The path is of our own making (ids were checked), never the client's text.
        target = URL(url).with_path(PREFIX + path).with_query(query)
        try:
            async with self._session().get(
                target, timeout=self.timeout, allow_redirects=False
            ) as response:
                return PeerAnswer(response.status, response.content_type, await response.read())
        except (TimeoutError, aiohttp.ClientError, OSError) as problem:
            raise PeerError(f"{url} did not answer: {problem!r}") from problem
