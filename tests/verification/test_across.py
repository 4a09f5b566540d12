"""What a worker is asked about all partitions together is all that every partition has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from evcharge.verification.across import Across
from evcharge.verification.answers import document_digest
from evcharge.verification.known import Checked, Known
from evcharge.verification.over_http import Asked
from evcharge.verification.report import Report
from tests.web.fake_worker import NOW, session_of


class Lists:
    """What is expected of the lists."""

    def __init__(self) -> None:
        self.stations: set[str] = set()
        self.held: Mapping[tuple[str, str], Mapping[str, Any]] = {}
        self.users: dict[str, Mapping[str, bytes]] = {}

    async def check_list(self, stations: Iterable[str]) -> None:
        self.stations = set(stations)

    async def check_held(self, sessions: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        self.held = sessions

    async def check_user(self, user_id: str, invoices: Mapping[str, bytes]) -> None:
        self.users[user_id] = invoices


def partition(station_id: str, reasons: int = 0) -> Checked:
    """Return a partition with an ended session of a station, held for reasons, and a forgotten one."""
    state = session_of(ended_us=NOW, energy_uwh=1, reasons=reasons)
    known = Known(state, None, lambda _: [None], [])
    return Checked({(station_id, "S1"): known}, {}, {station_id, f"{station_id}-gone"})


async def expected(sample: int | None) -> Lists:
    across, lists = Across(["EV-9"]), Lists()
    documents = {name: b'{"user_id": "U%d"}' % number for number, name in enumerate("abc")}
    across.take_up(["EV-8"], partition("EV-1"), {"EV-1": {"a": documents["a"]}})
    across.take_up([], partition("EV-2", reasons=1), {"EV-2": {"b": documents["b"]}})
    across.take_up([], Checked({}, {}, set()), {"EV-3": {"c": documents["b"]}})
    await across.check(cast("Asked", lists), sample, Report())
    return lists


async def test_the_lists_have_what_every_partition_has() -> None:
    lists = await expected(None)

    assert lists.stations == {"EV-1", "EV-1-gone", "EV-2", "EV-2-gone", "EV-8", "EV-9"}
    assert [(one, facts["state"]) for one, facts in lists.held.items()] == [
        (("EV-2", "S1"), "held")
    ]
    assert {user: set(names) for user, names in lists.users.items()} == {
        "U0": {"a"},
        "U1": {"b", "c"},
    }
    assert lists.users["U0"]["a"] == document_digest(b'{"user_id":"U0"}')


async def test_of_a_sample_of_users_the_documents_are_asked_for() -> None:
    assert set((await expected(1)).users) == {"U0"}


async def test_lists_are_left_out_and_counted_where_the_sessions_of_a_partition_cannot_be_told() -> (
    None
):
    across, lists, report = Across(["EV-9"]), Lists(), Report()
    across.take_up(["EV-8"], partition("EV-1", reasons=1), {})
    across.take_up(["EV-7"], None, {"EV-7": {"a": b'{"user_id": "U1"}'}})
    await across.check(cast("Asked", lists), None, report)

    assert not lists.stations
    assert not lists.held
    assert set(lists.users) == {"U1"}
    assert report.unchecked.total() == 1
