"""The checker that asks a worker: what the answers lack, have too much or say wrongly is found."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.decision import Verdict
from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.domain.station_state import StationState
from evcharge.domain.status_report import Status
from evcharge.errors import CommandError
from evcharge.verification.over_http import Asked
from evcharge.verification.report import Report
from evcharge.verification.sessions import Known
from tests.web.fake_worker import NOW, SECOND, Data, group, session_of

NAMES = "a" * 32, "b" * 32


def data() -> Data:
    """A station in the register with a word, an open session and an ended one, and another one."""
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
            "EV-001",
            json.dumps({"invoice_id": name, "user_id": "U1", "number": number}).encode(),
        )
        for name, number in ((NAMES[0], "2026-17-000001"), (NAMES[1], "2026-17-000002"))
    }
    made.register["EV-001"] = RegisteredStation(
        "EV-001", connectors=(RegisteredConnector(1, max_power_mw=22_000_000),)
    )
    return made


async def found(served: Data) -> list[str]:
    """Return what is found when the tables have to hold ``data()``."""
    report = Report()
    expected = data()
    async with group(served) as workers:
        worker = await workers.worker()
        async with Asked(worker.url, 86_400 * SECOND, report, lambda: NOW) as asked:
            await asked.check_list(expected.stations)
            for station_id, state in expected.stations.items():
                sessions = {
                    session_id: Known(session, None, lambda: [None])
                    for (station, session_id), session in expected.sessions.items()
                    if station == station_id
                }
                registered = expected.register.get(station_id)
                await asked.check_station(station_id, state.words, sessions, registered)
            for name, (_, invoice) in expected.invoices.items():
                await asked.check_invoice(name, invoice)
            await asked.check_user("U1", expected.invoices)
    return sorted(sort for _, sort in report.differences.elements())


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
    served.sessions["EV-002", "S3"] = session_of(ended_us=NOW - 60 * SECOND)


def _decided_about_a_session(served: Data) -> None:
    served.accounts["EV-001", "S2"] = Account(verdict=Verdict.VOID, decisions=1)


def _lost_an_invoice(served: Data) -> None:
    del served.invoices[NAMES[0]]


def _has_another_invoice(served: Data) -> None:
    station_id, invoice = served.invoices[NAMES[0]]
    served.invoices[NAMES[0]] = station_id, invoice.replace(b"000001", b"000003")


def _invented_an_invoice(served: Data) -> None:
    invoice = served.invoices[NAMES[0]][1].replace(NAMES[0].encode(), b"c" * 32)
    served.invoices["c" * 32] = "EV-001", invoice


def _lost_a_station(served: Data) -> None:
    del served.stations["EV-002"]


def _invented_a_station(served: Data) -> None:
    served.say("EV-003", Status.FREE)


@pytest.mark.parametrize(
    ("mistake", "sorts"),
    [
        (_says_another_status, {"changed"}),
        (_has_another_energy, {"changed"}),
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
        async with Asked(one.url, 86_400 * SECOND, Report(), lambda: NOW) as asked:
            with pytest.raises(CommandError, match="stale"):
                await asked.check_list([])
            with pytest.raises(CommandError, match="from a copy"):
                await asked.check_station("EV-001", [], {}, None)


async def test_a_worker_that_cannot_tell_at_this_moment_is_no_difference_but_an_error() -> None:
    report = Report()
    async with group(data()) as workers:
        worker = await workers.worker([])
        async with Asked(worker.url, 1, report) as asked:
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
            await asked.check_station(
                "EV-002",
                words,
                {".": Known(served.sessions["EV-002", "."], None, lambda: [None])},
                None,
            )
            await asked.check_user(".", [])

    assert list(report.lines()) == []
    for kind in ("stations", "users"):
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
