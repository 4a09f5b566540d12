"""`price`: what a session costs under a tariff."""

from __future__ import annotations

import codecs
import json
import sys
from typing import Any, TypeVar

from evcharge.commands.base import ProjectCommand, argument
from evcharge.commands.input_file import read_input
from evcharge.domain.pricing import Plan, cost_json
from evcharge.domain.pricing import price as price_of
from evcharge.domain.quantities import format_timestamp
from evcharge.errors import CommandError
from evcharge.events.quoted_session import parse_quoted_session
from evcharge.events.rejection import Rejected
from evcharge.events.tariffs import parse_tariff

T = TypeVar("T")


class Price(ProjectCommand):
    """Print what a session costs under a tariff, as one JSON object.

    TARIFF.json is an OCPI 2.2.1 Tariff. SESSION.json says when and where a session started, and its
    consecutive segments: {"started_at": "2019-01-28T08:30:00Z", "time_zone": "Europe/Amsterdam",
    "segments": [{"kind": "TIME", "duration_s": 3600, "energy_kwh": 20}]}. A segment may have power_kw
    and current_a too; its kind is TIME, PARKING_TIME, RESERVATION or RESERVATION_EXPIRED. `-` reads one
    of the two from standard input. The rules and the function are those of every invoice. No broker is
    needed.

    Example: python -m evcharge price tariff.json session.json
    """

    options = [  # noqa: RUF012 - declared as Faust does
        argument("tariff", metavar="TARIFF.json"),
        argument("session", metavar="SESSION.json"),
    ]

    async def run(self, tariff: str, session: str, **_: Any) -> None:
        """Read both, price, print."""
        tariff_name, tariff_text = _read(tariff)
        session_name, session_text = _read(session)
        terms = _accepted(tariff_name, parse_tariff(tariff_text)).tariff
        usage = _accepted(session_name, parse_quoted_session(session_text))
        if not terms.is_valid_at(usage.started_us):
            started = format_timestamp(usage.started_us)
            raise CommandError(f"{tariff_name} is not valid at {started}, when the session starts")
        sys.stdout.write(json.dumps(cost_json(price_of(Plan(terms), usage))) + "\n")


def _read(file: str) -> tuple[str, bytes]:
    name, content = read_input(file)
    return name, content.removeprefix(codecs.BOM_UTF8)


def _accepted(name: str, read: T | Rejected) -> T:
    if isinstance(read, Rejected):
        raise CommandError(f"{name}: {read.detail.removesuffix('.')}")
    return read
