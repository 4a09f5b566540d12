"""The checker of sealed sessions: each once, as it was behind the record that completed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from evcharge.domain.session import advance_unsealed
from evcharge.domain.session_record import SessionRecord
from evcharge.events.sealed_session import encode_sealed_session
from evcharge.verification.report import Report
from evcharge.verification.sealed import Sealed, check_sealed, possible_seals
from tests.domain.session_records import LIMITS, closed, correction, end, start, update

IDS = ("EV-001", "S1")
RECORDS = [start(), update(10, 1.0), update(20, 2.0), end(60, 5.0), update(61, 9.0)]


def sealed_by(records: Sequence[SessionRecord], offset: int = 0) -> list[Sealed]:
    """Return what the program seals of records in the order of the log."""
    _, completion = advance_unsealed(None, records, list, LIMITS)
    if completion is None:
        return []
    return [Sealed(offset, b"EV-001", encode_sealed_session(*IDS, completion))]


def found(
    sealed: Sequence[Sealed],
    direct: Sequence[SessionRecord],
    rerouted: Sequence[SessionRecord] = (),
    **table: int | None,
) -> list[str]:
    report = Report()
    check_sealed(
        "here",
        sealed,
        {IDS: list(direct)} if direct else {},
        {IDS: list(rerouted)} if rerouted else {},
        {IDS: table["revision"]} if table else {},
        LIMITS,
        report,
    )
    return sorted(sort for _, sort in report.differences.elements())


@pytest.mark.parametrize(
    "records",
    [
        RECORDS,
        RECORDS[::-1],
        [*RECORDS, *RECORDS],
        RECORDS[:3],
        [end(60), start(), correction(70, 3.0), closed(80, 4.0)],
        [end(60, 5.0, user_id="U1"), update(3, user_id="U2"), start()],
    ],
)
def test_what_the_program_seals_is_equal(records: list[SessionRecord]) -> None:
    assert found(sealed_by(records), records) == []


def test_a_session_that_was_not_sealed_is_found() -> None:
    assert found([], RECORDS) == ["missing"]
    assert found([], RECORDS[:2], RECORDS[2:]) == ["missing"]


def test_a_session_that_was_sealed_twice_is_found() -> None:
    assert found(sealed_by(RECORDS) + sealed_by(RECORDS, 1), RECORDS) == ["repeated"]


def test_a_session_that_was_sealed_before_its_end_or_is_not_known_is_found() -> None:
    assert found(sealed_by(RECORDS), RECORDS[:3]) == ["surplus"]
    assert found(sealed_by(RECORDS), []) == ["surplus"]


def test_a_session_that_was_sealed_by_a_later_record_is_found() -> None:
    late = [*RECORDS[:3], RECORDS[4], RECORDS[3]]

    assert found(sealed_by(late), RECORDS) == ["changed"]


def test_a_changed_fact_is_found() -> None:
    [record] = sealed_by(RECORDS)
    for old, new in ((b'"5"', b'"6"'), (b":3600", b":3601"), (b'"v":1', b'"v":2')):
        changed = record._replace(value=(record.value or b"").replace(old, new))
        assert changed != record
        assert found([changed], RECORDS) == ["changed"], old


def test_another_key_is_found() -> None:
    [record] = sealed_by(RECORDS)

    assert found([record._replace(key=b"EV-002")], RECORDS) == ["changed"]


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{}", b"no json"])
def test_a_record_that_is_none_is_found(value: bytes | None) -> None:
    assert found([*sealed_by(RECORDS), Sealed(1, b"EV-001", value)], RECORDS) == ["surplus"]


def test_a_table_that_remembers_another_revision_is_found() -> None:
    assert found(sealed_by(RECORDS), RECORDS, revision=4) == []
    assert found(sealed_by(RECORDS), RECORDS, revision=3) == ["unlike the table"]
    assert found(sealed_by(RECORDS), RECORDS, revision=None) == ["unlike the table"]
    assert found([], RECORDS[:2], revision=None) == []


def test_direct_and_rerouted_records_may_have_come_in_any_order() -> None:
    direct = [RECORDS[0], RECORDS[3]]
    rerouted = [update(10, 1.0, connector_id=2), update(20, 2.0, connector_id=3)]
    orders = [
        [*direct, *rerouted],
        [*rerouted, *direct],
        [direct[0], rerouted[0], direct[1], rerouted[1]],
    ]

    for order in orders:
        assert found(sealed_by(order), direct, rerouted) == []
    # but neither topic's own order is turned round
    backwards = [rerouted[1], *direct, rerouted[0]]
    assert found(sealed_by(backwards), direct, rerouted) == ["changed"]


def test_a_session_whose_order_decides_may_be_sealed_or_not() -> None:
    # named by another user: held for good, unless it was completed before
    direct, rerouted = [start(user_id="U1"), end(60, 5.0)], [update(5, user_id="U2")]

    assert found([], direct, rerouted) == []
    assert found(sealed_by([*direct, *rerouted]), direct, rerouted) == []
    seals = possible_seals(direct, rerouted, LIMITS)
    assert (len(seals.possible), seals.none) == (1, True)


def test_of_very_many_orders_only_the_number_is_checked() -> None:
    readings = [update(n / 100, n / 100) for n in range(1, 101)]
    direct, rerouted = [start(), *readings[::2], end(60, 5.0)], readings[1::2]
    wrong: list[Any] = sealed_by(RECORDS)

    assert found([], direct, rerouted) == ["missing"]
    assert found(wrong, direct, rerouted) == []
    assert found(wrong * 2, direct, rerouted) == ["repeated"]
