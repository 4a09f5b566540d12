"""What the demo reads of the worker: stations and sessions, over HTTP like any other client."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any, Self

import aiohttp

from evcharge.errors import CommandError

_PATIENCE_S = 30.0
_RETRY_S = 0.2
_AT_ONCE = 8


class WorkerWeb:
    """The worker's answers, as an async context manager. Numbers are exact (Decimal).

    An answer that does not come, or is partial or stale, is asked for again; CommandError after 30 s.
    """

    def __init__(self, url: str, *, patience_s: float = _PATIENCE_S) -> None:
        self.url = url
        self._patience_s = patience_s
        self._session: aiohttp.ClientSession | None = None
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def ready(self, within_s: float) -> None:
        """Return once the worker is ready; CommandError if it takes longer."""
        await self._until_answered("/readyz", {}, within_s)

    async def stations(self) -> list[dict[str, Any]]:
        """All stations."""
        return await self._list("/v1/stations", "stations")

    async def sessions(self, station_id: str) -> list[dict[str, Any]]:
        """All sessions of a station."""
        return await self._list(f"/v1/stations/{station_id}/sessions", "sessions")

    async def _list(self, path: str, name: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        query = {"limit": "1000"}
        while True:
            page = await self._until_answered(path, query, self._patience_s)
            items += page[name]
            if not page.get("next"):
                return items
            query["cursor"] = page["next"]

    async def _until_answered(self, path: str, query: dict[str, str], within_s: float) -> Any:
        said = "nothing"
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        answer, said = await self._get(path, query)
                    except (aiohttp.ClientError, TimeoutError) as problem:
                        answer, said = None, type(problem).__name__
                    if answer is not None:
                        return answer
                    await asyncio.sleep(_RETRY_S)
        except TimeoutError:
            raise CommandError(
                f"the worker did not answer {path} within {within_s:g} s (last: {said})"
            ) from None

    async def _get(self, path: str, query: dict[str, str]) -> tuple[Any, str]:
        """Return the answer, or None and why there is none yet."""
        assert self._session is not None, "used as a context manager"
        async with self._at_once, self._session.get(self.url + path, params=query) as response:
            if response.status != 200:
                return None, f"status {response.status}"
            answer = json.loads(await response.text(), parse_float=Decimal)
            if answer.get("partial") or answer.get("stale"):
                return None, "what may not be all"
            return answer, "an answer"
