"""The checker that asks a worker: what the answers lack, have too much or say wrongly is found."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from evcharge.domain.billing.account import Account, Facts
from evcharge.domain.billing.decision import Verdict
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.terms import Terms
from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.domain.station_state import StationState
from evcharge.domain.status_report import Status
from evcharge.errors import CommandError
from evcharge.verification.answers import document_digest, session_facts
from evcharge.verification.known import Known
from evcharge.verification.over_http import Asked
from evcharge.verification.report import Report
from tests.domain.session_records import end, start, update
from tests.web.fake_worker import NOW, SECOND, Data, FakeReader, group, session_of

BILLED = "EV-002", "S3"
NAMES = invoice_id(Kind.INVOICE, *BILLED, 1), "b" * 32
COST = {"currency": "EUR", "incl_vat": "0.60"}

RECORDS = (
    start(user_id="U1", meter=7.5),
    update(
        20,
        0.5,
        meter=8,
        power_mw=11_500_000,
        seq=2,
        charging=False,
        current_ua=16_000_000,
        soc_millionths=55_500_000,
        connector_id=1,
        user_id="U1",
        start_time_us=NOW,
        duration_us=1_500_000,
        correction=True,
        reason="EVDisconnected",
        reservation_id="R1",
    ),
    end(60, 1.0),
)
"""Those of the billed session; one of them states all that a record can."""


def billed() -> Account:
    """Return the account of a session whose invoice is the first of NAMES."""
    seen = Facts(NOW - 3600 * SECOND, NOW - 60 * SECOND, 1_000_000_000, "U1")
    terms = Terms("T1", 7, "d" * 32, "Europe/Paris", 22_000_000)
    approved = Verdict.APPROVE
    return Account(1, 3, seen, (50, 60), terms, invoice=1, verdict=approved, decisions=1)


def data() -> Data:
    """A registered station with a word, an open session and a held one; another with a bill."""
    made = Data()
    made.say("EV-001", Status.FREE)
    made.say("EV-001", Status.FAULTED, connector_id=2)
    made.say("EV-002", Status.FREE)
    made.sessions["EV-001", "S1"] = session_of(energy_uwh=1_500_000_000, power_mw=11_000_000)
    made.sessions["EV-001", "S2"] = session_of(
        ended_us=NOW - 60 * SECOND, energy_uwh=2_000_000_000, user_id="U1", reasons=1
    )
    made.invoices = {
        name: (
            "EV-002",
            json.dumps(
                {"invoice_id": name, "user_id": "U1", "number": number, "cost": COST}
            ).encode(),
        )
        for name, number in ((NAMES[0], "2026-17-000001"), (NAMES[1], "2026-17-000002"))
    }
    made.register["EV-001"] = RegisteredStation(
        "EV-001",
        "At the corner",
        48.85,
        -2.0,
        "Europe/Paris",
        "P1",
        "T1",
        (RegisteredConnector(1, max_power_mw=22_000_000),),
    )
    made.sessions[BILLED] = session_of(
        revision=3, ended_us=NOW - 60 * SECOND, energy_uwh=1_000_000_000, user_id="U1"
    )
    made.accounts[BILLED] = billed()
    made.records[BILLED] = list(RECORDS)
    return made


def known(expected: Data, station_id: str) -> dict[str, Known]:
    """Return a station's sessions as they have to be."""
    return {
        session_id: Known(
            state,
            expected.accounts.get((station, session_id)),
            lambda _, cost=COST if (station, session_id) == BILLED else None: [cost],  # type: ignore[misc]
            expected.records.get((station, session_id), []),
        )
        for (station, session_id), state in expected.sessions.items()
        if station == station_id
    }


async def found(served: Data) -> list[str]:
    """Return what is found when the tables have to hold ``data()``."""
    report = Report()
    expected = data()
    held = {("EV-001", "S2"): session_facts("EV-001", "S2", known(expected, "EV-001")["S2"])}
    async with group(served) as workers:
        worker = await workers.worker()
        async with Asked(worker.url, 86_400 * SECOND, report, lambda: NOW) as asked:
            await asked.check_list(expected.stations)
            await asked.check_held(held)
            for station_id, state in expected.stations.items():
                sessions = known(expected, station_id)
                registered = expected.register.get(station_id)
                await asked.check_station(station_id, state.words, sessions, registered)
            for name, (_, invoice) in expected.invoices.items():
                await asked.check_invoice(name, invoice)
            await asked.check_user("U1", digests(expected))
    return sorted(sort for _, sort in report.differences.elements())


def digests(expected: Data) -> dict[str, bytes]:
    return {name: document_digest(invoice) for name, (_, invoice) in expected.invoices.items()}


async def test_right_answers_are_equal() -> None:
    assert await found(data()) == []


def _says_another_status(served: Data) -> None:
    served.stations["EV-002"] = StationState(())
    served.say("EV-002", Status.UNAVAILABLE)


def _has_another_energy(served: Data) -> None:
    session = served.sessions["EV-001", "S2"]
    served.sessions["EV-001", "S2"] = session._replace(energy_uwh=2_000_000_001)


def _lost_a_session(served: Data) -> None:
    del served.sessions["EV-001", "S2"]


def _invented_a_session(served: Data) -> None:
    served.sessions["EV-002", "S4"] = session_of(ended_us=NOW - 60 * SECOND)


def _decided_about_a_session(served: Data) -> None:
    served.accounts["EV-001", "S2"] = Account(verdict=Verdict.VOID, decisions=1)


def _lost_an_invoice(served: Data) -> None:
    del served.invoices[NAMES[1]]


def _has_another_invoice(served: Data) -> None:
    station_id, invoice = served.invoices[NAMES[0]]
    served.invoices[NAMES[0]] = station_id, invoice.replace(b"000001", b"000003")


def _invented_an_invoice(served: Data) -> None:
    invoice = served.invoices[NAMES[0]][1].replace(NAMES[0].encode(), b"c" * 32)
    served.invoices["c" * 32] = "EV-002", invoice


def _says_another_tariff(served: Data) -> None:
    served.register["EV-001"] = served.register["EV-001"]._replace(tariff_id="T2")


def _says_another_place(served: Data) -> None:
    served.register["EV-001"] = served.register["EV-001"]._replace(latitude=48.850001)


def _lost_a_record(served: Data) -> None:
    del served.records[BILLED][-1]


def _has_records_in_another_order(served: Data) -> None:
    served.records[BILLED].reverse()


def _says_another_decision(served: Data) -> None:
    served.accounts[BILLED] = billed()._replace(verdict=Verdict.CORRECT)


def _lost_a_station(served: Data) -> None:
    served.register.pop("EV-001")
    served.stations.pop("EV-001")
    for session_id in ("S1", "S2"):
        del served.sessions["EV-001", session_id]


def _invented_a_station(served: Data) -> None:
    served.say("EV-003", Status.FREE)


@pytest.mark.parametrize(
    ("mistake", "sorts"),
    [
        (_says_another_status, {"changed"}),
        (_has_another_energy, {"changed"}),
        (_says_another_tariff, {"changed"}),
        (_says_another_place, {"changed"}),
        (_lost_a_record, {"changed"}),
        (_has_records_in_another_order, {"changed"}),
        (_says_another_decision, {"changed"}),
        (_lost_a_session, {"missing"}),
        (_invented_a_session, {"surplus", "changed"}),
        (_decided_about_a_session, {"changed"}),
        (_lost_an_invoice, {"missing"}),
        (_has_another_invoice, {"changed"}),
        (_invented_an_invoice, {"surplus"}),
        (_lost_a_station, {"missing"}),
        (_invented_a_station, {"surplus"}),
    ],
)
async def test_a_wrong_answer_is_found(mistake: Callable[[Data], None], sorts: set[str]) -> None:
    served = data()
    mistake(served)

    assert set(await found(served)) <= sorts
    assert await found(served) != []


async def test_what_comes_from_a_copy_is_no_difference_but_an_error() -> None:
    served = data()
    async with group(served) as workers:
        gone = await workers.worker()
        one = await workers.worker([], copies=range(4))
        served.owners.update(dict.fromkeys(range(4), gone.url))
        await gone.server.close()
        async with Asked(one.url, 86_400 * SECOND, Report(), lambda: NOW, 0) as asked:
            with pytest.raises(CommandError, match="stale"):
                await asked.check_list([])
            with pytest.raises(CommandError, match="from a copy"):
                await asked.check_station("EV-001", [], {}, None)


async def test_what_the_list_of_held_sessions_says_otherwise_is_found() -> None:
    one, other = (
        session_facts("EV-001", name, known(data(), "EV-001")[name]) for name in ("S1", "S2")
    )
    async with group(data()) as workers:
        worker = await workers.worker()
        for expected, sorts in (
            ({("EV-001", "S2"): other}, []),
            ({("EV-001", "S2"): other | {"revision": 2}}, ["changed"]),
            ({}, ["surplus"]),
            ({("EV-001", "S1"): one, ("EV-001", "S2"): other}, ["missing"]),
        ):
            report = Report()
            async with Asked(worker.url, 1, report) as asked:
                await asked.check_held(expected)
            assert [sort for _, sort in report.differences.elements()] == sorts


async def test_a_users_document_that_differs_from_its_record_is_found() -> None:
    served, report = data(), Report()
    _has_another_invoice(served)
    async with group(served) as workers:
        worker = await workers.worker()
        async with Asked(worker.url, 1, report) as asked:
            await asked.check_user("U1", digests(data()))

    assert list(report.differences.elements()) == [(f"HTTP {worker.url}", "changed")]


async def test_a_session_is_found_by_its_id_beside_others_of_the_same_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = Data(sessions={(f"EV-{n}", "1"): session_of(user_id=f"U{n}") for n in range(3)})
    async with group(served) as workers:
        worker = await workers.worker()

        async def differences() -> list[str]:
            report = Report()
            async with Asked(worker.url, SECOND, report, lambda: NOW) as asked:
                await asked.check_station("EV-1", [], known(served, "EV-1"), None)
            assert report.compared["sessions by their id"] == 1
            return list(report.lines())[1:]

        assert await differences() == []
        others = FakeReader.stations_having
        monkeypatch.setattr(
            FakeReader,
            "stations_having",
            lambda *of: (each for each in others(*of) if each != "EV-1"),
        )
        assert await differences() == [
            "    by its id, session 1 of EV-1: only ['EV-0', 'EV-2'] are named"
        ]


async def test_a_worker_that_cannot_tell_at_this_moment_is_no_difference_but_an_error() -> None:
    report = Report()
    async with group(data()) as workers:
        worker = await workers.worker([])
        async with Asked(worker.url, 1, report, patience_s=0) as asked:
            with pytest.raises(CommandError, match="answers 503"):
                await asked.check_station("EV-001", [], {}, None)
            with pytest.raises(CommandError, match="answers 503"):
                await asked.check_invoice(NAMES[0], b"{}")

    assert report.equal


async def test_what_no_path_can_name_is_counted_and_not_asked_for() -> None:
    served, report = data(), Report()
    served.say("..", Status.FREE)
    served.sessions["EV-002", "."] = session_of(ended_us=NOW)
    async with group(served) as workers:
        worker = await workers.worker()
        async with Asked(worker.url, 86_400 * SECOND, report, lambda: NOW) as asked:
            await asked.check_list(served.stations)
            await asked.check_station("..", served.stations[".."].words, {}, None)
            words = served.stations["EV-002"].words
            await asked.check_station("EV-002", words, known(served, "EV-002"), None)
            await asked.check_user(".", {})

    assert list(report.lines()) == []
    for kind in ("stations", "sessions", "users"):
        assert report.compared[f"{kind} that no path can name"] == 1


async def test_a_list_that_goes_in_a_circle_is_found_and_ends() -> None:
    async def answer(request: web.Request) -> web.Response:
        following = "second" if request.query.get("cursor") != "second" else "first"
        row = {"station_id": f"EV-{following}"}
        return web.json_response({"stations": [row], "next": following, "partial": False})

    application, report = web.Application(), Report()
    application.router.add_get("/v1/stations", answer)
    async with TestServer(application) as server, Asked(str(server.make_url("")), 1, report) as one:
        await one.check_list(["EV-first", "EV-second"])

    assert "repeated" in {sort for _, sort in report.differences}


async def test_a_worker_that_does_not_answer_is_no_difference_but_an_error() -> None:
    async with Asked("http://127.0.0.1:9", 1, Report()) as asked:
        with pytest.raises(CommandError, match="does not answer"):
            await asked.check_list([])
