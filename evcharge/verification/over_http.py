"""Whether a worker answers over HTTP what the tables have to hold."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any, Self

from evcharge.domain.station import describe_station
from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_session import OpenSession
from evcharge.domain.station_state import ConnectorWord, StationState
from evcharge.verification.answers import (
    document_digest,
    evidence_facts,
    session_facts,
    station_facts,
)
from evcharge.verification.asked_worker import PATIENCE_S, AskedWorker
from evcharge.verification.known import Known
from evcharge.verification.memory import is_occupied
from evcharge.verification.report import Report
from evcharge.verification.session_sources import SessionId, named

_MOST_NAMED = 100
"""Stations that are named where so many or more have a session of one id."""


class Asked:
    """A worker that is asked over HTTP, as an async context manager.

    Every method raises CommandError where the worker can say nothing (``asked_worker.py``).
    """

    def __init__(
        self,
        url: str,
        silence_us: int,
        report: Report,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._worker = AskedWorker(url, report, patience_s)
        self._silence_us = silence_us
        self._report = report
        self._now_us = now_us

    async def __aenter__(self) -> Self:
        await self._worker.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._worker.__aexit__()

    async def check_list(self, stations: Iterable[str]) -> None:
        """Compare the ids of all stations with the list of stations."""
        rows = self._worker.rows("/v1/stations", "stations")
        listed = [each["station_id"] async for each in rows]
        self._report.compared["stations in the list"] += len(listed)
        self._differ("stations in the list", set(stations), listed)

    async def check_held(self, sessions: Mapping[SessionId, Mapping[str, Any]]) -> None:
        """Compare the facts of all held sessions with the list of those that wait for a person."""
        found = {}
        listed = []
        async for session in self._worker.rows("/v1/sessions", "sessions", {"state": "held"}):
            one = session["station_id"], session["session_id"]
            found[one] = session
            listed.append(one)
        self._report.compared["held sessions in the list"] += len(listed)
        self._differ("held sessions in the list", sessions.keys(), listed)
        for one in sessions.keys() & found.keys():
            self._compare(f"held {named(one)}", sessions[one], found[one])

    async def check_station(
        self,
        station_id: str,
        words: Sequence[ConnectorWord],
        sessions: Mapping[str, Known],
        registered: RegisteredStation | None,
    ) -> None:
        """Compare one station, all of its sessions in its list, and one by its own id."""
        if not self._worker.can_name("stations", station_id):
            return
        name, path = f"station {station_id}", f"/v1/stations/{station_id}"
        running = [
            OpenSession(
                each, known.state.connector_id, known.state.started_us, known.state.updated_us
            )
            for each, known in sessions.items()
            if is_occupied(known.state, known.account)
        ]
        view = describe_station(
            station_id,
            StationState(tuple(words)) if words else None,
            running,
            registered,
            self._now_us(),
            self._silence_us,
        )
        status, found = await self._worker.get(path)
        self._report.compared["stations over HTTP"] += 1
        if status == HTTPStatus.NOT_FOUND:
            self._differs("missing", name)
            return
        for plug in found.get("connectors", ()):
            plug.pop("age_s", None)
        self._compare(name, station_facts(view), found)
        listed = {}
        async for session in self._worker.rows(f"{path}/sessions", "sessions"):
            if session["session_id"] in listed:
                self._differs("repeated", f"{name}: {session['session_id']}")
            listed[session["session_id"]] = session
        self._differ(f"{name}: sessions", sessions.keys(), sorted(listed))
        for session_id in sessions.keys() & listed.keys():
            self._report.compared["sessions over HTTP"] += 1
            one = station_id, session_id
            self._compare_session(named(one), one, sessions[session_id], listed[session_id])
        await self._check_one_by_id(station_id, sessions)

    async def _check_one_by_id(self, station_id: str, sessions: Mapping[str, Known]) -> None:
        """Ask for one of a station's sessions by its id alone, then for its evidence."""
        nameable = [each for each in sorted(sessions) if self._worker.can_name("sessions", each)]
        if not nameable:
            return
        # The same one each time, as long as the station has the same sessions.
        session_id = random.Random(station_id).choice(nameable)
        one, known = (station_id, session_id), sessions[session_id]
        path, name = f"/v1/sessions/{session_id}", f"by its id, {named(one)}"
        may_say = HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
        status, found = await self._worker.get(path, may_say=may_say)
        self._report.compared["sessions by their id"] += 1
        if status == HTTPStatus.OK:
            self._compare_session(name, one, known, found)
        elif status == HTTPStatus.NOT_FOUND:
            self._differs("missing", name)
        elif station_id not in (others := found.get("stations", ())) and len(others) < _MOST_NAMED:
            self._differs("missing", f"{name}: only {others} are named")
        await self._check_evidence(one, known)

    async def _check_evidence(self, one: SessionId, known: Known) -> None:
        station_id, session_id = one
        path, query = f"/v1/sessions/{session_id}/evidence", {"station_id": station_id}
        pages = [page async for page in self._worker.pages(path, query)]
        records = [record for page in pages for record in page.get("records", ())]
        if not pages:
            return
        name, found = f"the evidence of {named(one)}", {**pages[0], "records": records}
        self._compare_session(name, one, known, found.get("session", {}))
        facts = evidence_facts(*one, known)
        self._compare(name, _one_by_one(facts), _one_by_one(found))

    async def check_invoice(self, invoice_id: str, record: bytes) -> None:
        """Compare an invoice or a credit note with its record."""
        if not self._worker.can_name("invoices", invoice_id):
            return
        status, found = await self._worker.get(f"/v1/invoices/{invoice_id}")
        self._report.compared["invoices over HTTP"] += 1
        if status == HTTPStatus.NOT_FOUND:
            self._differs("missing", f"invoice {invoice_id}")
        elif document_digest(found) != document_digest(record):
            self._differs("changed", f"invoice {invoice_id}: {found}")

    async def check_user(self, user_id: str, invoices: Mapping[str, bytes]) -> None:
        """Compare a user's invoices and credit notes with the digests of their records, by id."""
        if not self._worker.can_name("users", user_id):
            return
        listed = []
        async for found in self._worker.rows(f"/v1/users/{user_id}/invoices", "invoices"):
            name = found["invoice_id"]
            listed.append(name)
            if name in invoices and document_digest(found) != invoices[name]:
                self._differs("changed", f"invoice {name} of {user_id}: {found}")
        self._report.compared["invoices of users"] += len(listed)
        self._differ(f"invoices of {user_id}", invoices.keys(), listed)

    def _compare_session(
        self, name: str, one: SessionId, known: Known, found: Mapping[str, Any]
    ) -> None:
        self._compare(name, session_facts(*one, known), found)
        costs = known.costs(self._now_us())
        if found.get("cost") not in costs:
            said = f"{name}: cost is {found.get('cost')!r} instead of {costs!r}"
            self._differs("changed", said)

    def _compare(self, name: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        for field, value in expected.items():
            if found.get(field) != value:
                said = f"{name}: {field} is {found.get(field)!r} instead of {value!r}"
                self._differs("changed", said)

    def _differ(self, what: str, expected: AbstractSet[Any], listed: Sequence[Any]) -> None:
        """Note what a list lacks, what it has too much, and that it is not in its order."""
        for each in sorted(expected - set(listed)):
            self._differs("missing", f"{what}: {each}")
        for each in sorted(set(listed) - expected):
            self._differs("surplus", f"{what}: {each}")
        if listed != sorted(set(listed)):
            self._differs("changed", f"{what}: the list is not sorted")

    def _differs(self, sort: str, detail: str) -> None:
        self._report.differs(self._worker.where, sort, detail)


def _one_by_one(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence with its records as members of their own, so that a difference names one."""
    records = evidence["records"]
    numbered = {f"record {number}": each for number, each in enumerate(records)}
    return {**evidence, "records": len(records), **numbered}
