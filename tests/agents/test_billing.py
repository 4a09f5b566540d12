"""From device events to invoices: each session that costs something is invoiced once."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evcharge.domain.billing.series import LANES
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.session import Lifecycle
from evcharge.kafka.partitioning import partition_of
from evcharge.replay.closed_sessions import read
from evcharge.replay.device_events import in_time_order, survey
from evcharge.settings import Settings
from evcharge.testing import MemoryWorker
from tables.charging_sessions import ChargingSessionsReader
from tables.invoices import InvoicesReader
from tests.agents.billing_events import SETTINGS, decision, priced, station, tariff, told
from tests.agents.session_events import END, START, event

REAL = Path(__file__).parents[2] / "examples" / "workplace" / "sessions.csv"

UPDATE = event("update", 10, energy_kwh=1.5, power_kw=9)
LATE = event("update", 20, energy_kwh=3.5)
OTHER_END = event("end", 40, energy_kwh=6)
CORRECTION = event("end", 30, energy_kwh=7, correction=True)
NAMELESS = event("start", 0, connector_id=2)
INVOICE = ("invoice", "2023-41-000001", "3.15")
"""5.25 kWh at 0.50 and 20 % VAT."""


def invoices_of(worker: MemoryWorker) -> InvoicesReader:
    return InvoicesReader(_partition(worker))


def sessions_of(worker: MemoryWorker) -> ChargingSessionsReader:
    return ChargingSessionsReader(_partition(worker))


def _partition(worker: MemoryWorker) -> Any:
    home = worker.state.partition_of("EV-001")
    return worker.app.table_of("charging-sessions").partition(home)


def lifecycle(worker: MemoryWorker) -> Lifecycle:
    row = sessions_of(worker).row("EV-001", "S1")
    assert row is not None
    return standing_of(row.state, row.account).standing


async def test_the_two_bare_payloads_leave_a_plug_taken_and_a_session_completed() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send(
            "station-status",
            {"station_id": "EV-001", "timestamp": "2023-05-01T10:15:30Z", "status": "occupied"},
        )
        await worker.send(
            "charging-sessions",
            {
                "session_id": "S12345",
                "station_id": "EV-001",
                "start_time": "2023-05-01T10:15:30Z",
                "end_time": "2023-05-01T12:00:00Z",
                "energy_kwh": 22.5,
                "user_id": "U67890",
            },
        )
        assert worker.state.station("EV-001") is not None
        (invoice,) = worker.records("invoices")
        (sealed,) = worker.records("sealed-sessions")
    assert invoice["cost"] == sealed["cost"]
    assert invoice["cost"]["incl_vat"] == "13.50"
    assert (invoice["user_id"], invoice["energy_kwh"]) == ("U67890", "22.5")
    assert (invoice["started_at"], invoice["ended_at"]) == (
        "2023-05-01T10:15:30Z",
        "2023-05-01T12:00:00Z",
    )
    assert invoice["issuer"] == {"name": "Test GmbH", "address": "", "vat_id": "XX1"}
    assert invoice["issued_at"] == sealed["completed_at"] == "2023-11-14T22:13:20Z"
    ((_, offset),) = sealed["evidence"]["charging-sessions"]
    assert offset == 0
    assert sealed["terms"]["tariff"] == tariff(0.5)
    assert (sealed["terms"]["time_zone"], sealed["terms"]["tariff_version"]) == ("Europe/Paris", 0)


async def test_an_invoice_is_found_by_its_id_and_by_its_user_byte_for_byte() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START, END)
        (output,) = (each for each in worker.outputs if each.topic == "invoices")
        assert (output.partition, output.key) == (worker.state.partition_of("EV-001"), b"EV-001")
        name = json.loads(output.value or b"")["invoice_id"]
        reader = invoices_of(worker)
        assert reader.invoice(name) == output.value
        assert list(reader.invoices_of("U1")) == [(name, output.value)]
        assert told(worker) == [INVOICE]


@pytest.mark.parametrize("chunks", ["one", "each its own"])
async def test_an_invoice_is_written_once_whatever_the_order_and_the_repetitions(
    chunks: str,
) -> None:
    for order in itertools.permutations([START, UPDATE, LATE, END]):
        async with MemoryWorker(SETTINGS) as worker:
            priced(worker)
            for records in [order] if chunks == "one" else [[each] for each in order]:
                await worker.send("charging-sessions", *records)
            first = worker.outputs.copy()
            for repeated in order:
                await worker.send("charging-sessions", repeated)
            assert worker.outputs == first
            assert told(worker) == [INVOICE], order
            assert worker.dead_letters == []


async def test_an_invoice_outlives_the_memory_of_the_worker() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START, END)
        table = worker.app.table_of("charging-sessions")
        worker.app.lane.forget(table, worker.state.partition_of("EV-001"))
        await worker.send("charging-sessions", UPDATE, LATE, END)
        assert told(worker) == [INVOICE]


async def test_what_changes_an_invoiced_session_holds_it_and_changes_no_invoice() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", START, END)
        await worker.send("charging-sessions", CORRECTION)
        assert told(worker) == [INVOICE]
        assert lifecycle(worker) is Lifecycle.HELD
        await worker.send("charging-sessions", END | {"correction": True, "seq": 1})
        assert told(worker) == [INVOICE]
        assert lifecycle(worker) is Lifecycle.COMPLETED


async def test_a_session_without_a_user_is_sealed_and_invoiced_when_one_is_named() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        await worker.send("charging-sessions", NAMELESS, END)
        assert [each["bill"] for each in worker.records("sealed-sessions")] == [1]
        assert told(worker) == []
        await worker.send("charging-sessions", event("update", 35, user_id="U1"))
        assert [each["bill"] for each in worker.records("sealed-sessions")] == [1, 2]
        assert told(worker) == [INVOICE]


async def test_a_session_that_costs_nothing_is_sealed_only() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        await worker.send("charging-sessions", START, END)
        (sealed,) = worker.records("sealed-sessions")
        assert (sealed["cost"]["incl_vat"], sealed["cost"]["tariff_id"]) == ("0.00", "free")
        assert worker.records("invoices") == []


async def test_a_session_whose_tariff_is_not_known_is_held() -> None:
    async with MemoryWorker(SETTINGS) as worker:
        worker.publish("stations", station(tariff_id="T9"))
        await worker.send("charging-sessions", START, END)
        assert worker.records("sealed-sessions") == []
        assert lifecycle(worker) is Lifecycle.HELD
        worker.publish("tariffs", tariff(0.5, "T9"))
        await worker.send("charging-sessions", UPDATE)
        assert told(worker) == [INVOICE]


async def test_a_change_of_the_register_counts_for_sessions_that_start_later() -> None:
    at = datetime(2023, 5, 1, 10, 15, tzinfo=UTC)
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        worker.publish("tariffs", tariff(9.0, "T2"))
        changed = station(tariff_id="T2", time_zone="Asia/Tokyo")
        worker.publish("stations", changed, timestamp_ms=int(at.timestamp()) * 1_000)
        await worker.send("charging-sessions", START, END)
        later = {"session_id": "S2", "timestamp": "2023-05-01T11:00:00Z"}
        ended = {"session_id": "S2", "timestamp": "2023-05-01T11:30:00Z"}
        await worker.send("charging-sessions", START | later, END | ended)
        terms = [each["terms"] for each in worker.records("sealed-sessions")]
        assert [(each["tariff"]["id"], each["time_zone"]) for each in terms] == [
            ("T1", "Europe/Paris"),
            ("T2", "Asia/Tokyo"),
        ]


async def test_a_session_that_takes_more_than_its_connector_gives_is_held() -> None:
    plug = {"connector_id": 2, "evse_id": "1", "standard": "IEC_62196_T2", "max_power_kw": 8}
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker)
        worker.publish("stations", station(connectors=[plug]))
        await worker.send("charging-sessions", START, END)
        assert told(worker) == []
        assert lifecycle(worker) is Lifecycle.HELD
        # It started an hour earlier.
        await worker.send("charging-sessions", START | {"timestamp": "2023-05-01T09:00:00Z"})
        assert told(worker) == [INVOICE]


async def test_a_tariff_from_a_file_is_found_when_the_file_is_another_one(tmp_path: Path) -> None:
    file = tmp_path / "tariff.json"
    file.write_text(json.dumps(tariff(0.5)))
    settings = Settings(partitions=4, default_tariff=file)
    async with MemoryWorker(settings) as worker:
        await worker.send("charging-sessions", START, END)
        (rows,) = (
            worker.app.lane.log.changelogs[place]  # type: ignore[attr-defined]
            for place in worker.app.lane.log.changelogs  # type: ignore[attr-defined]
        )
    file.write_text(json.dumps(tariff(9.0)))
    async with MemoryWorker(settings) as worker:
        _partition(worker).write(
            {key: value for key, value in rows if not key.startswith(b"\0")}, 0
        )
        await worker.send("charging-sessions", CORRECTION)
        assert lifecycle(worker) is Lifecycle.HELD
        assert worker.failures == []
        assert worker.dead_letters == []


async def test_3395_real_sessions_have_an_invoice_each_and_no_lane_has_a_gap() -> None:
    rows = list(read(REAL))
    stations = sorted({row.station_id for row in rows})
    async with MemoryWorker(SETTINGS) as worker:
        priced(worker, *stations)
        told_by_devices = [
            json.loads(each.value)
            for each in in_time_order(lambda: iter(rows), survey(rows))
            if each.topic == "charging-sessions"
        ]
        for some in range(0, len(told_by_devices), 500):
            await worker.send("charging-sessions", *told_by_devices[some : some + 500])
        sealed, invoices = worker.records("sealed-sessions"), worker.records("invoices")
    assert (len(rows), len(sealed), len({each["session_id"] for each in sealed})) == (3395,) * 3
    assert len({each["invoice_id"] for each in invoices}) == len(invoices)
    costly = [each for each in sealed if each["user_id"] and each["cost"]["incl_vat"] != "0.00"]
    assert len(invoices) == len(costly) > 3000
    counters: defaultdict[int, int] = defaultdict(int)
    for each in invoices:
        lane = partition_of(each["station_id"].encode(), LANES)
        counters[lane] += 1
        assert each["number"] == f"2023-{lane:02}-{counters[lane]:06}"


async def test_an_absurd_bill_is_one_like_any_other() -> None:
    # a price and an energy, each within its limits, come to more than 64 bits of cents
    async with MemoryWorker(SETTINGS) as worker:
        worker.publish("tariffs", tariff(10**12))
        worker.publish("stations", station())
        await worker.send("charging-sessions", START, event("end", 30, energy_kwh=10**9))
        assert told(worker) == [("invoice", "2023-41-000001", f"12{'0' * 20}.00")]
        await worker.send("charging-sessions", event("update", 40, power_kw=1))
        assert lifecycle(worker) is Lifecycle.COMPLETED
        await worker.send("session-decisions", decision("rerate", 2, "D1", tariff=tariff(10**12)))
        await worker.send("session-decisions", decision("rerate", 2, "D2", tariff=tariff(0.5)))
        assert [total for _, _, total in told(worker)[1:]] == [f"-12{'0' * 20}.00", "600000000.00"]
