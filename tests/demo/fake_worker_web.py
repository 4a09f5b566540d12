"""A worker's HTTP side with the answers that a test puts in."""

from __future__ import annotations

from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer


class FakeWorkerWeb:
    """Serves stations and sessions; two to a page, to be paged through. Use as a context manager."""

    def __init__(self) -> None:
        self.stations: list[dict[str, Any]] = []
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self.refusals: list[str] = []
        """What the next answers are instead: `503`, `partial`."""
        self.port = 0
        self._server: TestServer | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/v1/stations", self._stations)
        app.router.add_get("/v1/stations/{station_id}/sessions", self._sessions)
        self._server = TestServer(app)
        await self._server.start_server()
        assert self._server.port is not None
        self.port = self._server.port
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _ready(self, request: web.Request) -> web.Response:
        return self._refused() or web.json_response({"status": "ready"})

    async def _stations(self, request: web.Request) -> web.Response:
        return self._refused() or self._page(request, "stations", self.stations)

    async def _sessions(self, request: web.Request) -> web.Response:
        found = self.sessions.get(request.match_info["station_id"], [])
        return self._refused() or self._page(request, "sessions", found)

    def _refused(self) -> web.Response | None:
        refusal = self.refusals.pop(0) if self.refusals else ""
        if refusal == "503":
            return web.json_response({"title": "recovering"}, status=503)
        if refusal == "partial":
            return web.json_response({"stations": [], "next": None, "partial": True})
        return None

    def _page(self, request: web.Request, name: str, items: list[dict[str, Any]]) -> web.Response:
        start = int(request.query.get("cursor", 0))
        more = start + 2 < len(items)
        return web.json_response(
            {name: items[start : start + 2], "next": str(start + 2) if more else None}
        )
