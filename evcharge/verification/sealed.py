"""What had to go to ``sealed-sessions``: each session once, as it was when it first was completed.

A session is sealed by the record that completes it, in the order of the log. Where its records came
directly and rerouted, the order between the two topics is left to chance: every order that keeps both
is followed, and what any of them would seal is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from evcharge.domain.quantities import KWH, MICRO, decimal_text, format_timestamp
from evcharge.domain.session import HeldReason, Limits, SessionState, fold
from evcharge.domain.session.order import END_RANK
from evcharge.domain.session.state import Lifecycle
from evcharge.domain.session_record import SessionRecord
from evcharge.verification.report import Report
from evcharge.verification.sessions import SessionId

MOST_ORDERS = 2_500
"""Of a session with more combinations of direct and rerouted records, only the number of its sealed
records is checked."""

_FOR_GOOD = (
    HeldReason.CONFLICTING_USER.bit
    | HeldReason.TIMESTAMP_AHEAD.bit
    | HeldReason.TOO_MANY_READINGS.bit
)
"""Reasons that no further record can take away."""


class Seals(NamedTuple):
    """What may have been sealed of one session."""

    possible: list[dict[str, Any]]
    """The facts of each possible record."""
    none: bool
    """Whether none at all is possible too."""


class Sealed(NamedTuple):
    """A record of ``sealed-sessions``."""

    offset: int
    key: bytes | None
    value: bytes | None


def check_sealed(
    where: str,
    found: Iterable[Sealed],
    direct: Mapping[SessionId, Sequence[SessionRecord]],
    rerouted: Mapping[SessionId, Sequence[SessionRecord]],
    revisions: Mapping[SessionId, int | None],
    limits: Limits,
    report: Report,
) -> None:
    """Compare the sealed records of a partition with the records of its sessions.

    ``revisions``: which revision the table says was sealed, for each session that has a row.
    """
    sealed: dict[SessionId, list[tuple[int, Mapping[str, Any]]]] = {}
    for record in found:
        report.compared["sealed sessions"] += 1
        said = _said(record)
        session = (str(said.get("station_id")), str(said.get("session_id")))
        if session not in direct and session not in rerouted:
            report.differs(where, "surplus", f"the record at {record.offset}: {record.value!r}")
        elif record.key != session[0].encode():
            report.differs(where, "changed", f"the key of {_name(session)}: {record.key!r}")
        sealed.setdefault(session, []).append((record.offset, said))
    for session in {**direct, **rerouted}:
        records = direct.get(session, ()), rerouted.get(session, ())
        _check_one(where, session, sealed.get(session, []), records, limits, report)
        told = [said.get("revision") for _, said in sealed.get(session, [])[:1]]
        kept = revisions.get(session)
        if session in revisions and told != ([] if kept is None else [kept]):
            report.differs(where, "unlike the table", f"{_name(session)}: {told} and {kept}")


def _said(record: Sealed) -> Mapping[str, Any]:
    try:
        said = json.loads(record.value or b"", parse_float=Decimal)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _name(session: SessionId) -> str:
    return f"session {session[1]} of {session[0]}"


def _check_one(
    where: str,
    session: SessionId,
    sealed: Sequence[tuple[int, Mapping[str, Any]]],
    records: tuple[Sequence[SessionRecord], Sequence[SessionRecord]],
    limits: Limits,
    report: Report,
) -> None:
    for offset, _ in sealed[1:]:
        report.differs(where, "repeated", f"{_name(session)} at {offset}")
    if len(records[0]) * len(records[1]) > MOST_ORDERS:
        final = fold((*records[0], *records[1]), limits)
        if not sealed and final.lifecycle is Lifecycle.COMPLETED:
            report.differs(where, "missing", _name(session))
        return
    seals = possible_seals(*records, limits)
    if not sealed:
        if not seals.none:
            report.differs(where, "missing", f"{_name(session)}: {seals.possible[0]}")
        return
    offset, said = sealed[0]
    if not seals.possible:
        report.differs(where, "surplus", f"{_name(session)} at {offset}, never completed")
    elif not any(_agrees(said, facts) for facts in seals.possible):
        facts = {name: (said.get(name), value) for name, value in seals.possible[0].items()}
        wrong = {name: pair for name, pair in facts.items() if pair[0] != pair[1]}
        report.differs(where, "changed", f"{_name(session)} at {offset}: {wrong}")


def _agrees(said: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    return all(name in said and said[name] == value for name, value in facts.items())


def possible_seals(
    direct: Sequence[SessionRecord], rerouted: Sequence[SessionRecord], limits: Limits
) -> Seals:
    """Return what any order of the two topics' records of a session would seal."""
    possible: list[dict[str, Any]] = []
    seen = set()
    never = False
    first_ends = _first_end(direct), _first_end(rerouted)
    unsealed = {(0, 0)}
    for _ in range(len(direct) + len(rerouted)):
        following: set[tuple[int, int]] = set()
        for at, other in sorted(unsealed):
            steps = [((at + 1, other), direct[at])] if at < len(direct) else []
            steps += [((at, other + 1), rerouted[other])] if other < len(rerouted) else []
            for place, record in steps:
                if place[0] <= first_ends[0] and place[1] <= first_ends[1]:
                    following.add(place)
                    continue
                state = fold((*direct[: place[0]], *rerouted[: place[1]]), limits)
                if state.reasons & _FOR_GOOD:
                    never = True
                elif state.lifecycle is not Lifecycle.COMPLETED:
                    following.add(place)
                elif (state, record.ingest_us) not in seen:
                    seen.add((state, record.ingest_us))
                    possible.append(sealed_facts(record, state))
        unsealed = following
        if not unsealed:
            break
    return Seals(possible, none=never or bool(unsealed))


def _first_end(records: Sequence[SessionRecord]) -> int:
    """Return how many records come before the first end, all if there is none."""
    ends = (number for number, record in enumerate(records) if record.kind >= END_RANK)
    return next(ends, len(records))


def sealed_facts(record: SessionRecord, state: SessionState) -> dict[str, Any]:
    """Return what the sealed record has to say of a session that ``record`` completed.

    Numbers are as they are parsed; more fields may be added over time.
    """
    assert state.started_us is not None, "completed"
    assert state.ended_us is not None, "completed"
    assert state.duration_us is not None, "completed"
    return {
        "v": 1,
        "session_id": record.session_id,
        "station_id": record.station_id,
        "connector_id": state.connector_id,
        "user_id": state.user_id,
        "started_at": format_timestamp(state.started_us),
        "ended_at": format_timestamp(state.ended_us),
        "duration_s": Decimal(decimal_text(state.duration_us, MICRO)),
        "energy_kwh": _kwh(state.energy_uwh),
        "meter_start_kwh": _kwh(state.meter_start_uwh),
        "meter_end_kwh": _kwh(state.meter_end_uwh),
        "completed_at": format_timestamp(record.ingest_us),
        "revision": state.revision,
    }


def _kwh(energy_uwh: int | None) -> str | None:
    return None if energy_uwh is None else decimal_text(energy_uwh, KWH)
