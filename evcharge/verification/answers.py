"""What a worker has to answer (docs/openapi.json), numbers as they are parsed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from evcharge.domain.billing.account import Account, Facts, facts_of
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.quantities import KW, KWH, MICRO, decimal_text, format_timestamp
from evcharge.domain.session import Lifecycle
from evcharge.domain.session.flood import with_witnesses
from evcharge.domain.session.held import EXPLAINED
from evcharge.domain.session_record import RecordKind, SessionRecord
from evcharge.domain.station_view import StationView
from evcharge.verification.known import Known

_EVENTS = {
    RecordKind.START: "session_start",
    RecordKind.UPDATE: "session_update",
    RecordKind.END: "session_end",
}


def station_facts(view: StationView) -> dict[str, Any]:
    """Return what **Station** has to say, without the ages: another moment has others."""
    plugs = [
        {
            "connector_id": plug.connector_id,
            "evse_id": plug.evse_id,
            "status": plug.status.value,
            "since": _time(plug.since_us),
            "error_code": plug.error_code,
            "standard": plug.standard,
            "max_power_kw": _amount(plug.max_power_mw, KW),
            "session_id": plug.session_id,
        }
        for plug in view.connectors
    ]
    return {
        "station_id": view.station_id,
        "name": view.name,
        "latitude": _degrees(view.latitude),
        "longitude": _degrees(view.longitude),
        "time_zone": view.time_zone,
        "site_id": view.site_id,
        "tariff_id": view.tariff_id,
        "status": view.status.value,
        "free": view.free,
        "evses": view.evses,
        "updated_at": _time(view.updated_us),
        "connectors": plugs,
    }


def session_facts(station_id: str, session_id: str, known: Known) -> dict[str, Any]:
    """Return what **Session** has to say, but for the cost."""
    state, account = known.state, known.account
    stands = standing_of(state, account)
    facts = facts_of(state)
    if account is not None and stands.standing is Lifecycle.COMPLETED:
        facts = facts.corrected(account.corrections)
    return {
        "session_id": session_id,
        "station_id": station_id,
        "connector_id": state.connector_id,
        "user_id": facts.user_id,
        "state": stands.standing.value,
        "started_at": _time(facts.started_us),
        "ended_at": _time(facts.ended_us),
        "duration_s": _amount(_lasted_us(facts), MICRO),
        "energy_kwh": _amount(facts.energy_uwh, KWH),
        "power_kw": _amount(state.power_mw, KW),
        "held_reasons": [reason.value for reason in stands.reasons],
        "revision": stands.revision,
        "updated_at": _time(state.updated_us),
    }


def evidence_facts(station_id: str, session_id: str, known: Known) -> dict[str, Any]:
    """Return what **Evidence** has to say on all of its pages, but for the session."""
    stands = standing_of(known.state, known.account)
    return {
        "reasons": [
            {
                "reason": reason.value,
                "means": EXPLAINED[reason].means,
                "vanishes_with": EXPLAINED[reason].vanishes,
            }
            for reason in stands.reasons
        ],
        "billed": _billed(station_id, session_id, known.account),
        "records": list(map(record_facts, with_witnesses(known.state, known.records))),
    }


def _billed(station_id: str, session_id: str, account: Account | None) -> dict[str, Any] | None:
    if account is None or not account.bill or account.terms is None:
        return None
    facts, terms, invoiced, verdict = account.facts, account.terms, account.invoice, account.verdict
    name = None
    if invoiced is not None:
        name = invoice_id(Kind.INVOICE, station_id, session_id, invoiced)
    return {
        "bill": account.bill,
        "invoice_id": name,
        "decision": None if verdict is None else verdict.value,
        "started_at": _time(facts.started_us),
        "ended_at": _time(facts.ended_us),
        "energy_kwh": _amount(facts.energy_uwh, KWH),
        "user_id": facts.user_id,
        "tariff_id": terms.tariff_id,
        "tariff_version": terms.tariff_version,
        "time_zone": terms.time_zone,
        "max_power_kw": _amount(terms.max_power_mw, KW),
    }


def record_facts(record: SessionRecord) -> dict[str, Any]:
    """Return what **Record** has to say: what is not stated is absent."""
    is_closed = record.kind is RecordKind.CLOSED
    facts = {
        "topic": "charging-sessions",
        "partition": record.partition,
        "offset": record.offset,
        "ingested_at": _time(record.ingest_us),
        "event": _EVENTS.get(record.kind),
        "end_time" if is_closed else "timestamp": _time(record.timestamp_us),
        "seq": record.seq,
        "connector_id": record.connector_id,
        "user_id": record.user_id,
        "energy_kwh": _amount(record.energy_uwh, KWH),
        "meter_kwh": _amount(record.meter_uwh, KWH),
        "power_kw": _amount(record.power_mw, KW),
        "current_a": _amount(record.current_ua, MICRO),
        "soc_percent": _amount(record.soc_millionths, MICRO),
        "charging": record.charging,
        "start_time": _time(record.start_time_us),
        "duration_s": _amount(record.duration_us, MICRO),
        "correction": record.correction,
        "reason": record.reason,
        "reservation_id": record.reservation_id,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def document_digest(document: bytes | Mapping[str, Any]) -> bytes:
    """Return what tells documents apart, of a record or of the members that an answer has."""
    members = json.loads(document, parse_float=Decimal) if isinstance(document, bytes) else document
    text = json.dumps(members, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _lasted_us(facts: Facts) -> int | None:
    started_us, ended_us = facts.started_us, facts.ended_us
    if started_us is None or ended_us is None or ended_us < started_us:
        return None
    return ended_us - started_us


def _time(instant_us: int | None) -> str | None:
    return None if instant_us is None else format_timestamp(instant_us)


def _amount(amount: int | None, scale: int) -> Decimal | None:
    """Return units as a number that equals the parsed one, whether it has a fraction or not."""
    return None if amount is None else Decimal(decimal_text(amount, scale))


def _degrees(degrees: float | None) -> Decimal | None:
    """Return the shortest decimal that is read as this float, as it is written."""
    return None if degrees is None else Decimal(repr(degrees))
