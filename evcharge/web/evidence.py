"""Why a session is what it is: its reasons, what was billed, and the records that it follows from."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.quantities import MICRO, decimal_text, kw, kwh
from evcharge.domain.session.held import EXPLAINED
from evcharge.domain.session_record import RecordKind, SessionRecord
from evcharge.web import parameters
from evcharge.web.answers import json_response, number, timestamp
from evcharge.web.context import WebContext, context_of
from evcharge.web.copies import asked_context, mark
from evcharge.web.cursors import decode_cursor, encode_cursor
from evcharge.web.owners import require_readable
from evcharge.web.session_view import session_json
from evcharge.web.sessions import about_session, kept_session
from evcharge.web.state import KeptSession

_EVENTS = {
    RecordKind.START: "session_start",
    RecordKind.UPDATE: "session_update",
    RecordKind.END: "session_end",
}
"""The member `event` of a record; a closed session has none."""


class EvidencePosition(msgspec.Struct, tag="evidence", tag_field="list"):
    """A page of a session's records begins behind so many."""

    records: int


async def show_evidence(request: web.Request) -> web.Response:
    """A session with the evidence, from whichever worker owns its station."""
    context, session_id = context_of(request), parameters.path_id(request, "session_id")
    limit, skipped = parameters.limit(request), _skipped(request)

    async def here(context: WebContext, station_id: str) -> web.Response:
        return await _evidence(context, station_id, session_id, limit, skipped)

    query = {name: value for name in ("limit", "cursor") if (value := request.query.get(name))}
    return await about_session(request, context, session_id, "/evidence", query, here)


async def show_own_evidence(request: web.Request) -> web.Response:
    """The same, for another worker."""
    context, station_id = asked_context(request), parameters.path_id(request, "station_id")
    session_id = parameters.path_id(request, "session_id")
    limit, skipped = parameters.limit(request), _skipped(request)
    require_readable(context, station_id)
    return await _evidence(context, station_id, session_id, limit, skipped)


def _skipped(request: web.Request) -> int:
    cursor = request.query.get("cursor")
    return decode_cursor(cursor, EvidencePosition).records if cursor else 0


async def _evidence(
    context: WebContext, station_id: str, session_id: str, limit: int, skipped: int
) -> web.Response:
    kept = kept_session(context, station_id, session_id)
    marked = mark(context, station_id)
    session = await session_json(context, kept)
    records = await context.aside.do(kept.session.known)
    behind = skipped + limit
    return json_response(
        {
            "session": session,
            "reasons": [
                {
                    "reason": reason.value,
                    "means": EXPLAINED[reason].means,
                    "vanishes_with": EXPLAINED[reason].vanishes,
                }
                for reason in kept.stands.reasons
            ],
            "billed": _billed(kept),
            "records": [_record(record) for record in records[skipped:behind]],
            "next": encode_cursor(EvidencePosition(behind)) if behind < len(records) else None,
            **marked,
        }
    )


def _billed(kept: KeptSession) -> dict[str, Any] | None:
    """Return what was sealed last, None if nothing was."""
    session, account = kept.session, kept.account
    if account is None or not account.bill or account.terms is None:
        return None
    facts, terms = account.facts, account.terms
    return {
        "bill": account.bill,
        "invoice_id": _invoice_id(session.station_id, session.session_id, account),
        "decision": account.verdict,
        "started_at": timestamp(facts.started_us),
        "ended_at": timestamp(facts.ended_us),
        "energy_kwh": number(facts.energy_uwh, kwh),
        "user_id": facts.user_id,
        "tariff_id": terms.tariff_id,
        "tariff_version": terms.tariff_version,
        "time_zone": terms.time_zone,
        "max_power_kw": number(terms.max_power_mw, kw),
    }


def _invoice_id(station_id: str, session_id: str, account: Account) -> str | None:
    if account.invoice is None:
        return None
    return invoice_id(Kind.INVOICE, station_id, session_id, account.invoice)


def _record(record: SessionRecord) -> dict[str, Any]:
    """Return where a record is, and what it says; facts that it does not state are left out."""
    place = {
        "topic": "charging-sessions",
        "partition": record.partition,
        "offset": record.offset,
        "ingested_at": timestamp(record.ingest_us),
    }
    is_closed = record.kind is RecordKind.CLOSED
    facts = {
        "event": _EVENTS.get(record.kind),
        "end_time" if is_closed else "timestamp": timestamp(record.timestamp_us),
        "seq": record.seq,
        "connector_id": record.connector_id,
        "user_id": record.user_id,
        "energy_kwh": number(record.energy_uwh, kwh),
        "meter_kwh": number(record.meter_uwh, kwh),
        "power_kw": number(record.power_mw, kw),
        "current_a": number(record.current_ua, lambda each: decimal_text(each, MICRO)),
        "soc_percent": number(record.soc_millionths, lambda each: decimal_text(each, MICRO)),
        "charging": record.charging,
        "start_time": timestamp(record.start_time_us),
        "duration_s": number(record.duration_us, lambda each: decimal_text(each, MICRO)),
        "correction": record.correction,
        "reason": record.reason,
        "reservation_id": record.reservation_id,
    }
    return place | {name: fact for name, fact in facts.items() if fact is not None}
