"""Whether a worker answers over HTTP what the tables have to hold."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Self

import aiohttp

from evcharge.domain.billing.account import Facts, facts_of
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.quantities import KW, KWH, MICRO, decimal_text, format_timestamp
from evcharge.domain.session import Lifecycle
from evcharge.domain.station import describe_station
from evcharge.domain.station_register import RegisteredStation
from evcharge.domain.station_session import OpenSession
from evcharge.domain.station_state import ConnectorWord, StationState
from evcharge.errors import CommandError
from evcharge.verification.memory import is_occupied
from evcharge.verification.report import Report
from evcharge.verification.sessions import Known

_TIMEOUT = aiohttp.ClientTimeout(total=30)


class Asked:
    """A worker that is asked over HTTP, as an async context manager.

    Every method raises CommandError if it does not answer.
    """

    def __init__(
        self,
        url: str,
        silence_us: int,
        report: Report,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._url = url.rstrip("/")
        self._silence_us = silence_us
        self._report = report
        self._now_us = now_us
        self._where = f"HTTP {self._url}"

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def check_list(self, stations: Iterable[str]) -> None:
        """Compare the ids of all stations with the list of stations."""
        expected = set(stations)
        listed = [each["station_id"] async for each in self._pages("/v1/stations", "stations")]
        self._report.compared["stations in the list"] += len(listed)
        self._differ("missing", "stations not in the list", expected - set(listed))
        self._differ("surplus", "stations in the list", set(listed) - expected)
        if listed != sorted(set(listed)):
            self._report.differs(self._where, "changed", "the list of stations is not sorted")

    async def check_station(
        self,
        station_id: str,
        words: Sequence[ConnectorWord],
        sessions: Mapping[str, Known],
        registered: RegisteredStation | None,
    ) -> None:
        """Compare one station and all of its sessions."""
        name = f"station {station_id}"
        path = f"/v1/stations/{station_id}"
        running = [
            OpenSession(each, state.connector_id, state.started_us, state.updated_us)
            for each, (state, account, _) in sessions.items()
            if is_occupied(state, account)
        ]
        view = describe_station(
            station_id,
            StationState(tuple(words)) if words else None,
            running,
            registered,
            self._now_us(),
            self._silence_us,
        )
        status, found = await self._get(path)
        if found.get("stale"):
            raise CommandError(f"{self._url}{path} answers from a copy")
        self._report.compared["stations over HTTP"] += 1
        if status != 200:
            self._report.differs(self._where, "missing", f"{name}: {status} {found}")
            return
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
        for plug in found["connectors"]:
            plug.pop("age_s", None)  # another moment has another age
        facts = {
            "status": view.status.value,
            "free": view.free,
            "evses": view.evses,
            "updated_at": _time(view.updated_us),
            "connectors": plugs,
        }
        self._compare(name, facts, found)
        listed = {}
        async for session in self._pages(f"{path}/sessions", "sessions"):
            if session["session_id"] in listed:
                self._report.differs(self._where, "repeated", f"{name}: {session['session_id']}")
            listed[session["session_id"]] = session
        self._differ("missing", f"{name}: sessions", sessions.keys() - listed.keys())
        self._differ("surplus", f"{name}: sessions", listed.keys() - sessions.keys())
        for session_id in sessions.keys() & listed.keys():
            self._report.compared["sessions over HTTP"] += 1
            expected = session_facts(station_id, session_id, sessions[session_id])
            name, found = f"session {session_id} of {station_id}", listed[session_id]
            self._compare(name, expected, found)
            costs = sessions[session_id].costs()
            if found.get("cost") not in costs:
                said = f"{name}: cost is {found.get('cost')!r} instead of {costs!r}"
                self._report.differs(self._where, "changed", said)

    async def check_invoice(self, invoice_id: str, record: bytes) -> None:
        """Compare an invoice or a credit note with its record."""
        path = f"/v1/invoices/{invoice_id}"
        status, found = await self._get(path)
        if found.get("stale"):
            raise CommandError(f"{self._url}{path} answers from a copy")
        self._report.compared["invoices over HTTP"] += 1
        if status != 200:
            self._report.differs(self._where, "missing", f"invoice {invoice_id}: {status}")
        elif found != json.loads(record, parse_float=Decimal):
            self._report.differs(self._where, "changed", f"invoice {invoice_id}: {found}")

    async def check_user(self, user_id: str, invoices: Iterable[str]) -> None:
        """Compare the ids of a user's invoices."""
        expected = sorted(invoices)
        path = f"/v1/users/{user_id}/invoices"
        listed = [each["invoice_id"] async for each in self._pages(path, "invoices")]
        self._report.compared["invoices of users"] += len(listed)
        self._differ("missing", f"invoices of {user_id}", set(expected) - set(listed))
        self._differ("surplus", f"invoices of {user_id}", set(listed) - set(expected))
        if listed != sorted(set(listed)):
            self._report.differs(self._where, "changed", f"the list of {user_id} is not sorted")

    def _compare(self, name: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        for field, value in expected.items():
            if found.get(field) != value:
                said = f"{name}: {field} is {found.get(field)!r} instead of {value!r}"
                self._report.differs(self._where, "changed", said)

    def _differ(self, sort: str, what: str, ids: Iterable[str]) -> None:
        for each in sorted(ids):
            self._report.differs(self._where, sort, f"{what}: {each}")

    async def _pages(self, path: str, field: str) -> AsyncIterator[dict[str, Any]]:
        cursor = None
        while True:
            query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
            status, body = await self._get(path, query)
            if status != 200 or body.get("partial") or body.get("stale"):
                raise CommandError(f"{self._url}{path} answers {status}: {body}")
            for each in body[field]:
                yield each
            cursor = body["next"]
            if cursor is None:
                return

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> tuple[int, Any]:
        try:
            async with self._http.get(self._url + path, params=query) as answer:
                return answer.status, json.loads(await answer.text(), parse_float=Decimal)
        except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
            raise CommandError(f"{self._url}{path} does not answer: {problem!r}") from None


def session_facts(station_id: str, session_id: str, known: Known) -> dict[str, Any]:
    """Return what the contract's **Session** has to say, numbers as they are parsed."""
    state, account, _ = known
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
