"""What a session would cost: computed for whoever asks, and nothing is stored."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiohttp import web

from evcharge.domain.pricing import Plan, cost_json, price
from evcharge.domain.quantities import DAY_US, format_timestamp
from evcharge.events.quotes import Quote, parse_quote
from evcharge.events.rejection import Rejected
from evcharge.web.answers import json_response
from evcharge.web.problems import ProblemError

MAX_BODY = 65_536
"""Bytes: a tariff of two hundred elements, or a session of a thousand segments."""

MAX_CHANGES = 20_000
"""How often local time may change what a tariff charges in one session: a fifth of a second of work."""

_one_at_a_time = asyncio.Semaphore(1)
"""Quotes share the worker with its lane, so they never take more than one thread."""


async def quote(request: web.Request) -> web.Response:
    """The Cost of a session under a tariff, both as stated in the request."""
    if (request.content_length or 0) > MAX_BODY:
        raise _too_large()
    body = await request.read()
    if len(body) > MAX_BODY:
        raise _too_large()
    async with _one_at_a_time:
        return json_response(await asyncio.to_thread(_priced, body))


def _priced(body: bytes) -> dict[str, object]:
    asked = parse_quote(body)
    if isinstance(asked, Rejected):
        raise _refused(asked.detail)
    tariff, usage = asked
    if not tariff.is_valid_at(usage.started_us):
        started = format_timestamp(usage.started_us)
        raise _refused(f"tariff is not valid at {started}, when the session starts.")
    plan = Plan(tariff)
    changes = _changes(plan, asked)
    if changes > MAX_CHANGES:
        raise _refused(
            f"session.segments are too long for this tariff: its prices may change {changes:,} times"
            f" in them, and {MAX_CHANGES:,} are computed at most."
        )
    return cost_json(price(plan, usage))


def _changes(plan: Plan, asked: Quote) -> int:
    duration_us = sum(segment.duration_us for segment in asked.usage.segments)
    return int(duration_us // DAY_US + 1) * plan.calendar.changes_a_day


def _refused(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)


def _too_large() -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request should have at most {MAX_BODY:,} bytes."
    )
