"""How answers are written: JSON with exact numbers, and headers that keep browsers strict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from evcharge.domain.quantities import format_timestamp

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # An answer is no page: nothing in it may run or be framed. Pages state their own policy.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Every answer is of this moment.
    "Cache-Control": "no-store",
}

STALE = {"stale": True}
"""The member of an answer that was read, at least in part, from a copy; others have none."""


def encode(value: Any) -> bytes:
    """Write a value as JSON."""
    return msgspec.json.encode(value)


def timestamp(instant_us: int | None) -> str | None:
    """Write an instant; one that is absent stays so."""
    return None if instant_us is None else format_timestamp(instant_us)


def number(amount: int | None, text: Callable[[int], str]) -> msgspec.Raw | None:
    """Write an amount as a JSON number, digit by digit as ``text`` does: no float comes between."""
    return None if amount is None else msgspec.Raw(text(amount).encode())


def marked_stale(document: bytes) -> bytes:
    """Say in a JSON object that it was read from a copy; its numbers stay as they are written."""
    members = msgspec.json.decode(document, type=dict[str, msgspec.Raw])
    return encode({**members, **STALE})


def json_response(value: Any) -> web.Response:
    """Answer 200 with a JSON document."""
    return web.Response(body=encode(value), content_type="application/json")


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer carries (a signal of aiohttp, so that streams have it too)."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
