"""A worker that is killed at every step of billing bills each session once all the same."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from evcharge.domain.billing.audit import Numbers, audit, audit_credit_note
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.billing.series import Series
from evcharge.domain.pricing import Plan
from evcharge.events.rejection import Rejected
from evcharge.events.sealed_reading import read_sealed_session
from evcharge.events.tariffs import parse_tariff
from evcharge.kafka.partitioning import Partitioner
from tests.eventually import eventually
from tests.integration.deployment import Deployment
from tests.torture.points import POINTS, Trap, waits

pytestmark = pytest.mark.broker

PROGRAM = "tests.torture.worker"
STATIONS = [f"EV-{number:03}" for number in range(12)]
PARTITIONS = 2
TARIFF = {
    "id": "T1",
    "currency": "EUR",
    "last_updated": "2023-04-01T00:00:00Z",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.50", "step_size": 1}]}],
}
STEPS = [
    (point, moment, passes)
    for point in POINTS
    # A chunk that bills is written in a transaction; a takeover is no chunk's.
    if point not in {"append", "take-over"}
    for moment in (("before", "during", "after") if waits(point) else ("before", "after"))
    # The second word with the coordinator decides the transaction.
    for passes in ((1, 2) if point == "coordinate" else (1,))
]


class Sent:
    """Sessions and decisions as they were sent, and the papers that there have to be."""

    def __init__(self) -> None:
        self.expected: dict[str, str] = {}
        """The total with VAT of each invoice and credit note, by id."""
        self._round = 0
        self._invoiced: list[tuple[str, str]] = []

    def sessions(self) -> list[dict[str, Any]]:
        """Return a closed session of each station, of a kilowatt-hour more in each round."""
        self._round += 1
        sent = []
        for station_id in STATIONS:
            session = {
                "station_id": station_id,
                "session_id": f"S{self._round}",
                "user_id": "U1",
                "start_time": "2023-05-01T10:00:00Z",
                "end_time": "2023-05-01T11:00:00Z",
                "energy_kwh": self._round,
            }
            sent.append(session)
            ids = station_id, f"S{self._round}"
            self.expected[invoice_id(Kind.INVOICE, *ids, 1)] = f"{self._round * 0.5:.2f}"
            self._invoiced.append(ids)
        return sent

    def decisions(self) -> list[dict[str, Any]]:
        """Void one session of a round before, and correct another one."""
        decisions = []
        for verdict in ("void", "correct"):
            ids = station_id, session_id = self._invoiced.pop(0)
            total = self.expected[invoice_id(Kind.INVOICE, *ids, 1)]
            self.expected[invoice_id(Kind.CREDIT_NOTE, *ids, 1)] = f"-{total}"
            decision = {
                "v": 1,
                "decision_id": f"{verdict}-{station_id}-{session_id}",
                "station_id": station_id,
                "session_id": session_id,
                "decision": verdict,
                "actor": "anna",
                "decided_at": "2023-05-02T10:00:00Z",
                "revision": 1,
                "decisions": 0,
            }
            if verdict == "correct":
                decision["energy_kwh"] = 100
                self.expected[invoice_id(Kind.INVOICE, *ids, 2)] = "50.00"
            decisions.append(decision)
        return decisions


async def produce(deployment: Deployment, topic: str, values: Iterable[Mapping[str, Any]]) -> None:
    """Send each record to its station's partition."""
    home = Partitioner(PARTITIONS).partition_of
    by_partition = defaultdict(list)
    for value in values:
        by_partition[home(value["station_id"])].append(value)
    for partition, some in by_partition.items():
        await deployment.produce(topic, some, partition=partition)


async def test_a_worker_killed_at_every_step_of_billing_bills_each_session_once(
    deployment: Deployment,
) -> None:
    deployment.variables |= {
        "EVCHARGE_PARTITIONS": str(PARTITIONS),
        "EVCHARGE_SESSION_TIMEOUT_S": "3",
        "EVCHARGE_ISSUER_NAME": "Watt GmbH",
    }
    assert deployment.command("topics").returncode == 0
    await deployment.produce("tariffs", [TARIFF], partition=0)
    entries = [{"station_id": each, "tariff_id": "T1"} for each in STATIONS]
    await deployment.produce("stations", entries, partition=0)
    worker, sent = deployment.worker(), Sent()
    file = deployment.directory / "trap"

    for point, moment, passes in STEPS:
        file.write_text(str(Trap(point, moment, passes, "kill", of_bills=True)))
        worker.start(PROGRAM, TORTURE_TRAP=str(file))
        await produce(deployment, "charging-sessions", sent.sessions())
        await produce(deployment, "session-decisions", sent.decisions())
        eventually(lambda: not worker.alive, what=f"the kill {moment} {point}")
        worker.kill()

    worker.start().ready()
    await deployment.applied()

    found = [json.loads(each.value) for each in await deployment.records("invoices")]
    totals = [(each["invoice_id"], each["cost"]["incl_vat"]) for each in found]
    assert sorted(totals) == sorted(sent.expected.items())
    numbers = Numbers()
    for invoice in found:
        year, lane, _ = invoice["number"].split("-")
        assert numbers.add(Series("", int(year), int(lane)), invoice["number"]) == []
    assert len(numbers.counters) > 1
    assert (
        audited(found, [each.value for each in await deployment.records("sealed-sessions")]) == []
    )
    verified = deployment.command("verify", "--url", worker.url)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def audited(invoices: list[dict[str, Any]], sealed_records: list[bytes]) -> list[Any]:
    """Return what an audit finds."""
    by_id = {each["invoice_id"]: each for each in invoices}
    credited = {each["credits"]["invoice_id"]: each for each in invoices if each["credits"]}
    sealed = list(map(read_sealed_session, sealed_records))
    last: dict[tuple[str, str], int] = {}
    for each in sealed:
        ids = each.station_id, each.session_id
        last[ids] = max(each.bill, last.get(ids, 0))
    found: list[Any] = []
    for each in sealed:
        ids = each.station_id, each.session_id
        tariff = parse_tariff(each.document)
        assert not isinstance(tariff, Rejected)
        name = invoice_id(Kind.INVOICE, *ids, each.bill)
        found += audit(
            each,
            Plan(tariff.tariff, each.terms.tariff_version),
            by_id.get(name),
            is_credited=name in credited,
            is_last=each.bill == last[ids],
        )
    for name, note in credited.items():
        found += audit_credit_note(note, by_id[name])
    return found
