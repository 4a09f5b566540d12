"""What a session would cost: computed for whoever asks, and nothing is stored."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from aiohttp import web

from evcharge.domain.pricing import MAX_CHANGES, Plan, changes_in, cost_json, price
from evcharge.domain.quantities import format_timestamp
from evcharge.events.quotes import parse_quote
from evcharge.events.rejection import Rejected
from evcharge.web.answers import json_response
from evcharge.web.bodies import body_of
from evcharge.web.context import context_of
from evcharge.web.problems import ProblemError


async def quote(request: web.Request) -> web.Response:
    """The Cost of a session under a tariff, both as stated in the request."""
    body = await body_of(request)
    return json_response(await context_of(request).aside.do(partial(_priced, body)))


def _priced(body: bytes) -> dict[str, object]:
    asked = parse_quote(body)
    if isinstance(asked, Rejected):
        raise _refused(asked.detail)
    tariff, usage = asked
    if not tariff.is_valid_at(usage.started_us):
        started = format_timestamp(usage.started_us)
        raise _refused(f"tariff is not valid at {started}, when the session starts.")
    plan = Plan(tariff)
    lasted_us = int(sum(segment.duration_us for segment in usage.segments))
    changes = changes_in(plan, usage.started_us, usage.started_us + lasted_us)
    if changes > MAX_CHANGES:
        raise _refused(
            f"session.segments are too long for this tariff: its prices may change {changes:,} times"
            f" in them, and {MAX_CHANGES:,} are computed at most."
        )
    return cost_json(price(plan, usage))


def _refused(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)
