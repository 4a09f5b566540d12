"""The versions of the tariffs."""

from __future__ import annotations

import json

from evcharge.events.rejection import Reason
from evcharge.events.tariffs import MAX_BYTES
from evcharge.reference.feed import Position, ReferenceRecord
from evcharge.reference.tariffs import Tariffs


def tariff(tariff_id: str, price: str = "0.25") -> bytes:
    return json.dumps(
        {
            "id": tariff_id,
            "currency": "EUR",
            "last_updated": "2024-01-01T00:00:00Z",
            "elements": [
                {"price_components": [{"type": "ENERGY", "price": price, "step_size": 1}]}
            ],
        }
    ).encode()


def record(offset: int, value: bytes | None, key: bytes | None = None) -> ReferenceRecord:
    return ReferenceRecord(offset, 1_000 * (offset + 1), key, value)


def test_every_version_is_kept_with_its_exact_bytes() -> None:
    tariffs = Tariffs()
    tariffs.apply([record(0, tariff("T1", "0.25")), record(1, tariff("T1", "0.250000000000001"))])
    assert [v.version for v in tariffs.versions("T1")] == [0, 1]
    assert tariffs.versions("T1")[-1].value == tariff("T1", "0.250000000000001")
    assert tariffs.version("T1", 0) == tariffs.versions("T1")[0]
    assert tariffs.version("T1", 7) is None


def test_an_unknown_tariff_has_no_version() -> None:
    tariffs = Tariffs()
    assert (tariffs.version_at("T1", 0), tariffs.versions("T1")) == (None, ())


def test_the_version_at_an_instant_is_the_newest_published_by_then() -> None:
    tariffs = Tariffs()
    tariffs.apply([record(0, tariff("T1")), record(3, tariff("T1"))])
    at = [
        (v.version if (v := tariffs.version_at("T1", us)) else None)
        for us in (0, 1_000_000, 3_999_999, 4_000_000)
    ]
    assert at == [0, 0, 0, 3]


def test_what_is_invalid_is_counted_and_left_out() -> None:
    tariffs = Tariffs()
    tariffs.apply(
        [
            record(0, tariff("T1")),
            record(1, b"junk"),
            record(2, None, b"T1"),
            record(3, tariff("T1"), b"T2"),
            record(4, tariff("T1")[:-1] + b', "x": "%b"}' % (b"y" * MAX_BYTES)),
        ]
    )
    assert len(tariffs) == 1
    assert [v.version for v in tariffs.versions("T1")] == [0]
    assert tariffs.refusals.count == {
        Reason.NOT_JSON: 1,
        Reason.NO_VALUE: 1,
        Reason.BAD_VALUE: 1,
        Reason.TOO_LARGE: 1,
    }
    assert tariffs.position == Position(4, 5_000)


def test_a_cleared_feed_is_at_the_beginning() -> None:
    tariffs = Tariffs()
    tariffs.apply([record(0, tariff("T1"))])
    tariffs.clear()
    assert (len(tariffs), tariffs.position) == (0, None)
