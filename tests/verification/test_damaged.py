"""Whatever is damaged is a difference that the checker tells of, and nothing that stops it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from evcharge.domain.session import Limits
from evcharge.verification.bills import Found
from tables.charging_sessions import block_key, session_key
from tables.invoices import tariff_key
from tests.domain.billing_desk import approve, correct
from tests.domain.session_records import correction, end, minute, start, update
from tests.verification.billed import Billed, tariff

SEALED, INVOICES = "sealed-sessions", "invoices"
Members = dict[str, Any]


def billed() -> Billed:
    """Return a partition of a session that was invoiced, credited and invoiced again, and of others."""
    made = Billed()
    made.publish(tariff("0.50"))
    made.register(tariff_id="T1")
    made.send(start(user_id="U1"), update(30, 4.0), end(60, 10.0))
    made.send(correction(60, 12.0))
    made.decide(approve(4, ingest_us=minute(90)), correct(9, 3.0, ingest_us=minute(91)))
    return made


def _with(*path: str, value: Any) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        for name in path[:-1]:
            members = members[name]
        members[path[-1]] = value

    return change


def _without(name: str) -> Callable[[Members], None]:
    return lambda members: members.pop(name)


OF_INVOICES = {
    "a further member of the issuer": _with("issuer", "phone", value="1"),
    "no issuer": _with("issuer", value=None),
    "an issuer without a name": _with("issuer", "name", value=None),
    "a VAT id that is a number": _with("issuer", "vat_id", value=7),
    "credits as a text": _with("credits", value="I1"),
    "credits as an array": _with("credits", value=["I1"]),
    "another kind": _with("kind", value="receipt"),
    "a number that is one": _with("number", value=1),
    "no user": _without("user_id"),
    "no subject": _with("subject", value=None),
    "a station that is a number": _with("station_id", value=1),
    "no time": _with("issued_at", value="yesterday"),
    "half a surrogate pair": _with("station_id", value="EV-\ud800"),
}
OF_SEALED = {
    "evidence as an array": _with("evidence", value=[]),
    "evidence as a text": _with("evidence", value="all"),
    "evidence of nothing": _with("evidence", value={}),
    "places as texts": _with("evidence", "charging-sessions", value=["0/1"]),
    "places of places": _with("evidence", "charging-sessions", value=[[[0], [1]]]),
    "no cost": _without("cost"),
    "no terms": _without("terms"),
    "a bill that is a text": _with("bill", value="1"),
    "a bill that is true": _with("bill", value=True),
    "no session": _with("session_id", value=None),
}


def changed(records: list[Found], number: int, change: Callable[[Members], None]) -> list[Found]:
    """Return records, one of them with something changed in its document."""
    members = json.loads(records[number].value or b"")
    change(members)
    value = json.dumps(members).encode()
    return [*records[:number], records[number]._replace(value=value), *records[number + 1 :]]


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("damage", OF_INVOICES)
def test_a_damaged_invoice_is_no_document(damage: str, number: int) -> None:
    made = billed()

    sorts = made.sorts(invoices=changed(made.found_of(INVOICES), number, OF_INVOICES[damage]))

    assert "surplus" in sorts
    # it is not there, or the next one is in its place
    assert {"missing", "changed"} & set(sorts)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("damage", OF_SEALED)
def test_a_damaged_sealed_session_is_no_document(damage: str, number: int) -> None:
    made = billed()

    sorts = made.sorts(sealed=changed(made.found_of(SEALED), number, OF_SEALED[damage]))

    assert "surplus" in sorts
    assert {"missing", "changed"} & set(sorts)


@pytest.mark.parametrize(
    "value", [b"[" * 100_000, b"\xff", b'{"a":"\xff"}', b"\xff\xfe{\0}\0", b"7" * 5_000], ids=len
)
@pytest.mark.parametrize("topic", ["sealed", "invoices"])
def test_what_is_no_json_is_no_document(topic: str, value: bytes) -> None:
    made = billed()
    records = made.found_of(SEALED if topic == "sealed" else INVOICES)

    assert made.sorts(**{topic: [*records, Found(9, b"EV-001", value)]}) == ["surplus"]


FAR_US = 1 << 62


@pytest.mark.parametrize(
    "change",
    [
        _with("cost", "currency", value=[]),
        _with("cost", "incl_vat", value=None),
        _with("cost", "excl_vat", value="Infinity"),
        _with("terms", "time_zone", value="Europe"),
        _with("terms", "tariff", value={}),
        _with("segments", value=[[0, FAR_US, 1, None, None]]),
        _with("segments", value=[[0, -FAR_US, 1, None, None]]),
        _with("segments", value=[[0, 0, 1, None, None]]),
        _with("started_at", value="0001-01-01T00:00:00Z"),
    ],
)
def test_a_document_that_nothing_can_be_computed_from_is_found(
    change: Callable[[Members], None],
) -> None:
    made = billed()

    assert made.sorts(sealed=changed(made.found_of(SEALED), 1, change)) != []


GARBAGE = [b"", b"garbage", b"\xc1", b"\x92\x02\x01", b"\x91" * 5_000, b"\x92\x01\x91\x90"]


@pytest.mark.parametrize("row", [*GARBAGE, msgspec.msgpack.encode([2, 1, []])], ids=repr)
def test_any_row_that_cannot_be_read_is_found(row: bytes) -> None:
    made = billed()
    made.send(start()._replace(session_id="S2"))
    letters = set()
    for key in [key for key in made.step.rows if not key.startswith(b"\0")]:
        letters.add(key[:1])
        assert made.sorts(rows=made.step.rows | {key: row}) != [], key
    assert letters >= set(map(str.encode, "SIORHWQDVUN")) - {b"H", b"R"}, letters


def test_a_damaged_block_of_records_is_found() -> None:
    made = Billed(Limits()).send(start(), *(update(each, each / 10) for each in range(1, 700)))
    key = block_key("EV-001", "S1", 0)
    assert key in made.step.rows
    for row in (*GARBAGE, msgspec.msgpack.encode([1, [[1, [], {}, 0, 1]]])):
        sorts = made.sorts(rows=made.step.rows | {key: row})
        assert {"changed", "missing"} <= set(sorts), row


def test_a_damaged_tariff_that_no_session_names_any_more_is_found() -> None:
    made = billed()
    row = {tariff_key("0" * 64): b"garbage"}

    assert made.sorts(rows=made.step.rows | row) == ["surplus"]


def test_of_a_session_whose_row_cannot_be_read_the_bills_are_compared_all_the_same() -> None:
    made = billed()
    rows = made.step.rows | {session_key("EV-001", "S1"): b"garbage"}
    where = {where for where, _ in made.report(rows=rows).differences}

    assert where == {"here"}

    lacking = made.report(rows=rows, sealed=made.found_of(SEALED)[:1])
    assert any("bill 2 among the sealed sessions" in line for line in lacking.lines())
