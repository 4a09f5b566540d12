"""Asks a worker over HTTP: what it says of one thing, and lists page by page."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Self

import aiohttp

from evcharge.domain.identifiers import is_id
from evcharge.errors import CommandError
from evcharge.verification.report import Report

PATIENCE_S = 10.0
"""For how long the same is asked again where a worker cannot tell, or not of its own."""

_PAUSE_S = 0.25
_TIMEOUT = aiohttp.ClientTimeout(total=30)


class AskedWorker:
    """A worker's HTTP interface, as an async context manager.

    Every method raises CommandError where nothing can be said: the worker does not answer, or for
    ``patience_s`` seconds it cannot tell, answers from a copy or for a part of the partitions only.
    """

    def __init__(self, url: str, report: Report, patience_s: float = PATIENCE_S) -> None:
        self.url = url.rstrip("/")
        self.where = f"HTTP {self.url}"
        """The place that differences are noted at."""
        self._report = report
        self._patience_s = patience_s

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        may_say: Collection[HTTPStatus] = (HTTPStatus.OK, HTTPStatus.NOT_FOUND),
    ) -> tuple[int, dict[str, Any]]:
        """Return an answer's status, one that ``may_say`` has, and its members; numbers are exact."""
        until = time.monotonic() + self._patience_s
        while True:
            status, members = await self._ask(path, query)
            is_of_a_copy = bool(members.get("stale") or members.get("partial"))
            if status in may_say and not is_of_a_copy:
                return status, members
            # A partition may just be moving, or its owner be busy for longer than others wait for it.
            may_change = is_of_a_copy or status == HTTPStatus.SERVICE_UNAVAILABLE
            if not may_change or time.monotonic() >= until:
                said = "from a copy, or in part" if is_of_a_copy else status
                raise CommandError(f"{self.url}{path} answers {said}: {members}")
            await asyncio.sleep(_PAUSE_S)

    async def _ask(self, path: str, query: Mapping[str, str] | None) -> tuple[int, dict[str, Any]]:
        try:
            async with self._http.get(self.url + path, params=query) as answer:
                status, text = answer.status, await answer.text()
            members = json.loads(text, parse_float=Decimal)
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            raise CommandError(f"{self.url}{path} does not answer: {problem!r}") from None
        if not isinstance(members, dict):
            raise CommandError(f"{self.url}{path} answers {status}: {members}")
        return status, members

    async def pages(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the pages of a list; one that is not there, or goes in a circle, is a difference."""
        query = {**(query or {}), "limit": "1000"}
        seen: set[str] = set()
        while True:
            status, page = await self.get(path, query)
            if status == HTTPStatus.NOT_FOUND:
                self._report.differs(self.where, "missing", path)
                return
            yield page
            cursor = page.get("next")
            if cursor is None:
                return
            if cursor in seen:
                self._report.differs(self.where, "repeated", f"{path}: the cursor {cursor}")
                return
            seen.add(cursor)
            query["cursor"] = cursor

    async def rows(
        self, path: str, field: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the rows of all pages of a list."""
        async for page in self.pages(path, query):
            for row in page.get(field, ()):
                yield row

    def can_name(self, kind: str, identifier: str) -> bool:
        """Whether a path can name something; what none can is counted.

        A segment of dots leads to another path, however it is written.
        """
        if is_id(identifier) and identifier not in {".", ".."}:
            return True
        self._report.compared[f"{kind} that no path can name"] += 1
        return False
