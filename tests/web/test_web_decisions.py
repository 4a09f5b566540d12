"""`POST /v1/sessions/{session_id}/decisions`: tried, recorded once, and shown with its effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from evcharge.events.session_decisions import SessionDecision, parse_session_decision
from evcharge.web import models
from tests.web.fake_worker import Answer
from tests.web.memory_web import END, SESSION, START, STATION, MemoryWeb, event, memory_web

PATH = f"/v1/sessions/{SESSION}/decisions"
OTHER_END = event("end", 40, energy_kwh=12)
BODY: dict[str, Any] = {
    "station_id": STATION,
    "decision": "approve",
    "actor": "A1",
    "revision": 1,
}


@pytest_asyncio.fixture
async def web() -> AsyncIterator[MemoryWeb]:
    async with memory_web() as made:
        yield made


async def invoices(web: MemoryWeb) -> list[tuple[str, str]]:
    found = (await web.get("/v1/users/U1/invoices"))["invoices"]
    issued = sorted((each["number"], each["kind"], each["cost"]["incl_vat"]) for each in found)
    return [(kind, total) for _, kind, total in issued]


def assert_problem(answer: Answer, status: int, said: str) -> None:
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert said in answer.json["detail"]
    models.Problem.model_validate(answer.json)


async def test_what_is_approved_is_billed_as_its_records_tell_it(web: MemoryWeb) -> None:
    await web.send(START, END, OTHER_END)
    held = await web.session()
    assert (held["state"], held["revision"]) == ("held", 3)

    answer = await web.decide("approve", 3, reason="looked at the meter")

    assert answer.status == 200
    models.Session.model_validate(answer.json)
    assert answer.json == await web.session()
    assert (answer.json["state"], answer.json["held_reasons"]) == ("completed", [])
    assert answer.json["revision"] == 4
    assert await invoices(web) == [("invoice", "6.00")]


async def test_what_is_corrected_is_billed_with_the_given_values(web: MemoryWeb) -> None:
    await web.send(END)
    assert (await web.session())["held_reasons"] == ["no-start"]

    answer = await web.decide(
        "correct", 1, started_at="2023-05-01T12:00:00+02:00", energy_kwh="8.5", user_id="U1"
    )

    assert answer.status == 200, answer.text
    assert (answer.json["state"], answer.json["started_at"]) == (
        "completed",
        "2023-05-01T10:00:00Z",
    )
    assert (answer.json["energy_kwh"], answer.json["user_id"]) == (8.5, "U1")
    assert await invoices(web) == [("invoice", "5.10")]


async def test_an_invoice_that_is_voided_is_credited(web: MemoryWeb) -> None:
    await web.send(START, END)

    answer = await web.decide("void", 2)

    assert (answer.status, answer.json["state"]) == (200, "void")
    assert await invoices(web) == [("invoice", "6.00"), ("credit_note", "-6.00")]


async def test_the_record_says_who_when_why_and_what_was_seen(web: MemoryWeb) -> None:
    await web.send(START, END)
    await web.decide("void", 2, reason="test ride", decision_id="D-1")
    await web.decide("approve", 3, actor="A2")

    first, second = map(parse_session_decision, web.log.records)
    assert isinstance(first, SessionDecision)
    assert isinstance(second, SessionDecision)
    assert (first.decision_id, first.actor, first.reason) == ("D-1", "A1", "test ride")
    assert [first.revision, first.decisions] == [2, 0]
    assert [second.actor, second.revision, second.decisions] == ["A2", 2, 1]
    assert second.decided_at > "2023"


@pytest.mark.parametrize("revision", [1, 3, 4])
async def test_a_decision_about_another_revision_is_stale(web: MemoryWeb, revision: int) -> None:
    await web.send(START, END)

    answer = await web.decide("void", revision)

    assert_problem(answer, 409, f"at revision 2, not {revision}")
    assert answer.json["revision"] == 2
    assert web.log.records == []
    assert (await web.session())["state"] == "completed"


async def test_a_record_or_a_decision_makes_what_was_seen_before_stale(web: MemoryWeb) -> None:
    await web.send(START, END)
    await web.send(OTHER_END)
    assert (await web.decide("approve", 2)).status == 409
    assert (await web.decide("approve", 3)).status == 200
    assert (await web.decide("void", 3)).status == 409
    assert (await web.decide("void", 4)).status == 200


async def test_a_decision_that_cannot_apply_is_refused_and_not_recorded(web: MemoryWeb) -> None:
    await web.send(START)
    assert_problem(await web.decide("approve", 1), 409, "start, end and energy are not all known")
    early = {"ended_at": "2023-05-01T09:00:00Z", "energy_kwh": 1}
    assert_problem(await web.decide("correct", 1, **early), 409, "contradict")
    assert web.log.records == []


async def test_a_session_whose_end_never_came_can_be_given_one(web: MemoryWeb) -> None:
    await web.send(START)
    answer = await web.decide("correct", 1, ended_at="2023-05-01T11:00:00Z", energy_kwh=3)
    assert (answer.status, answer.json["state"]) == (200, "completed")


async def test_an_unknown_tariff_is_told_when_somebody_approves(web: MemoryWeb) -> None:
    web.register({"station_id": STATION, "tariff_id": "T2"})
    await web.send(START, END)
    assert_problem(await web.decide("approve", 2), 409, "names a tariff that is not known")


async def test_the_same_request_sent_again_is_the_same_decision(web: MemoryWeb) -> None:
    await web.send(START, END)
    first = await web.decide("void", 2)
    second = await web.decide("void", 2)
    named = await web.decide("approve", 3, decision_id="D-1")
    again = await web.decide("approve", 3, decision_id="D-1")

    assert (first.status, second.status, named.status, again.status) == (200, 200, 200, 200)
    assert second.json == first.json
    assert again.json == named.json
    assert len(web.log.records) == 2


async def test_a_session_that_nobody_knows_is_not_found(web: MemoryWeb) -> None:
    assert_problem(await web.decide("void", 1), 404, "no session S1 of station EV-001")
    await web.send(START, END)
    elsewhere = await web.ask(PATH, "POST", BODY | {"station_id": "EV-002"})
    assert_problem(elsewhere, 404, "no session S1 of station EV-002")
    assert (await web.ask("/v1/sessions/a%20b/decisions", "POST", BODY)).status == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"station_id": None}, "station_id"),
        ({"actor": None}, "actor"),
        ({"actor": "Jane Doe"}, "actor"),
        ({"revision": None}, "revision"),
        ({"revision": 0}, "revision"),
        ({"revision": 1.5}, "revision"),
        ({"decision": "rerate"}, "decision"),
        ({"decision": "Approve"}, "decision"),
        ({"decision": "correct"}, "at least one of"),
        ({"energy_kwh": 1}, "energy_kwh should only be given to correct"),
        ({"decision": "correct", "energy_kwh": -1}, "energy_kwh"),
        ({"decision": "correct", "energy_kwh": "NaN"}, "energy_kwh"),
        ({"decision": "correct", "started_at": "2023-05-01T10:00:00"}, "started_at"),
        (
            {
                "decision": "correct",
                "started_at": "2023-05-01T10:00:00Z",
                "ended_at": "2023-05-01T09:00:00Z",
            },
            "ended_at should not be before started_at",
        ),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused_by_name(
    web: MemoryWeb, change: dict[str, Any], said: str
) -> None:
    await web.send(START, END)
    body = {name: each for name, each in (BODY | change).items() if each is not None}
    assert_problem(await web.ask(PATH, "POST", body), 400, said)
    assert web.log.records == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b"[" * 100_000])
async def test_what_is_no_object_is_refused(web: MemoryWeb, body: bytes) -> None:
    answer = await web.ask(PATH, "POST", body)
    assert answer.status == (413 if len(body) > 65_536 else 400)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://behind.a.proxy"}, 200),
        ({}, 200),
    ],
)
async def test_pages_of_other_sites_decide_nothing(
    web: MemoryWeb, headers: dict[str, str], status: int
) -> None:
    await web.send(START, END)
    answer = await web.ask(PATH, "POST", BODY | {"revision": 2}, **headers)
    assert answer.status == status


async def test_our_own_page_may_decide(web: MemoryWeb) -> None:
    await web.send(START, END)
    assert (await web.ask(PATH, "POST", BODY | {"revision": 2}, Origin=web.url)).status == 200


async def test_a_decision_that_takes_long_is_accepted_and_takes_effect_later(
    web: MemoryWeb,
) -> None:
    await web.send(START, END)
    before = await web.session()
    web.log.is_read = False

    answer = await web.decide("void", 2)

    assert (answer.status, answer.json) == (202, before)
    models.Session.model_validate(answer.json)
    web.log.is_read = True
    (record,) = web.log.records
    await web.log.append(web.worker.state.partition_of(STATION), STATION, record)
    assert (await web.decide("void", 2)).json["state"] == "void"


async def test_of_two_decisions_about_one_revision_the_first_in_the_log_counts(
    web: MemoryWeb,
) -> None:
    await web.send(START, END)
    answers = await asyncio.gather(web.decide("void", 2), web.decide("approve", 2, actor="A2"))

    assert sorted(answer.status for answer in answers) == [200, 409]
    assert (await web.session())["revision"] == 3


async def test_while_kafka_is_away_nothing_is_decided_and_the_same_can_be_sent_again(
    web: MemoryWeb,
) -> None:
    await web.send(START, END)
    web.log.is_there = False
    answer = await web.decide("void", 2)
    assert_problem(answer, 503, "Send the same again; it counts once.")
    assert int(answer.headers["Retry-After"]) >= 1

    web.log.is_there = True
    assert (await web.decide("void", 2)).status == 200


async def test_a_long_reason_is_kept_in_part(web: MemoryWeb) -> None:
    await web.send(START, END)
    assert (await web.decide("void", 2, reason="because " * 1000)).status == 200
    (record,) = web.log.records
    assert len(json.loads(record)["reason"]) == 200
