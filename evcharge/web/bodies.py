"""The bodies of requests, bounded."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from evcharge.web.problems import ProblemError

MAX_BODY = 65_536
"""Bytes: a tariff of two hundred elements, or a session of a thousand segments."""


async def body_of(request: web.Request) -> bytes:
    """Read a request's body.

    Raises:
        ProblemError: 413, it is longer than :data:`MAX_BODY`.
    """
    if (request.content_length or 0) <= MAX_BODY:
        body = await request.read()
        if len(body) <= MAX_BODY:
            return body
    raise ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request should have at most {MAX_BODY:,} bytes."
    )
