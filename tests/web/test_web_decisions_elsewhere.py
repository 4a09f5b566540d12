"""Any worker takes a decision: it is tried and looked for at the owner of the session."""

from __future__ import annotations

import pytest

from evcharge.domain.session import fold
from tests.domain.session_records import LIMITS, end, start
from tests.web.fake_log import FakeLog
from tests.web.fake_worker import Answer, Data, Worker, group, id_in

AWAY = id_in(3)
"""A station of the other worker."""


def ended() -> Data:
    """An ended session that was never sealed, so that approving it bills it."""
    records = [start(0, user_id="U1"), end(30, 10)]
    key = AWAY, "S1"
    return Data(sessions={key: fold(records, LIMITS)}, records={key: records})


async def decide(worker: Worker, decision: str = "approve", revision: int = 2) -> Answer:
    body = {"station_id": AWAY, "decision": decision, "actor": "A1", "revision": revision}
    return await worker.get("/v1/sessions/S1/decisions", method="POST", body=body)


async def test_a_worker_that_does_not_own_a_session_takes_decisions_about_it() -> None:
    data = ended()
    log = FakeLog(data)
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], decisions=log)
        await workers.worker([3])
        stale, approved = await decide(one, revision=1), await decide(one)
        again = await decide(one)

    assert (stale.status, stale.json["revision"]) == (409, 2)
    assert (approved.status, approved.json["revision"]) == (200, 3)
    assert (again.status, again.json) == (200, approved.json)
    ((partition, station_id, _),) = log.records
    assert (partition, station_id) == (3, AWAY)


async def test_a_session_that_its_owner_does_not_have_is_not_found_anywhere() -> None:
    data = ended()
    data.sessions.clear()
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2])
        await workers.worker([3])
        assert (await decide(one)).status == 404


async def test_a_decision_that_the_owner_does_not_apply_in_time_is_accepted() -> None:
    data = ended()
    log = FakeLog(data)
    log.is_read = False
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], decisions=log)
        await workers.worker([3])
        answer = await decide(one)

    assert (answer.status, answer.json["revision"]) == (202, 2)


async def test_a_copy_does_not_decide() -> None:
    data = ended()
    log = FakeLog(data)
    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], copies=[3], decisions=log)
        gone = await workers.worker([3])
        await gone.server.close()
        answer = await decide(one)

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert log.records == []


@pytest.mark.parametrize("stays", [True, False])
async def test_an_owner_that_is_lost_after_the_record_leaves_the_answer_open(stays: bool) -> None:
    data = ended()

    class LosingLog(FakeLog):
        async def append(self, partition: int, station_id: str, record: bytes) -> None:
            await super().append(partition, station_id, record)
            if not stays:
                owner.reader.own = frozenset()

    async with group(data) as workers:
        one = await workers.worker([0, 1, 2], decisions=LosingLog(data))
        owner = await workers.worker([3])
        assert (await decide(one)).status == (200 if stays else 202)


async def test_workers_ask_each_other_about_sessions_that_they_own_only() -> None:
    async with group(ended()) as workers:
        worker = await workers.worker([0, 1, 2], copies=[3])
        path = f"/peer/stations/{AWAY}/sessions/S1"
        asked = f'{{"station_id":"{AWAY}","decision":"void","actor":"A","revision":2}}'
        assert (await worker.get(f"{path}/trial?decision={asked}&stale=1")).status == 503
        assert (await worker.get(f"{path}/trial?decision=x")).status == 400
        assert (await worker.get(f"{path}/decisions/D1?decisions=0&stale=1")).status == 503
