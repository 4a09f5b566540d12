"""How answers are written: JSON with exact numbers, and headers that keep browsers strict."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

_encoder = msgspec.json.Encoder(decimal_format="number")
"""Decimals are written digit by digit as JSON numbers; a float never comes between."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # An answer is no page: nothing in it may run or be framed. Pages state their own policy.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Every answer is of this moment.
    "Cache-Control": "no-store",
}


def encode(value: Any) -> bytes:
    """Write a value as JSON."""
    return _encoder.encode(value)


def json_response(value: Any) -> web.Response:
    """Answer 200 with a JSON document."""
    return web.Response(body=encode(value), content_type="application/json")


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer carries (a signal of aiohttp, so that streams have it too)."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
