"""Where billing gets a session's terms from."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evcharge.domain.billing.terms import Terms
from evcharge.errors import SettingError
from evcharge.reference.desk import ReferenceDesk
from evcharge.reference.feed import ReferenceRecord
from evcharge.reference.plans import UnknownTariffError
from evcharge.reference.register import Register
from evcharge.reference.tariffs import Tariffs
from evcharge.settings import Settings


def document(tariff_id: str = "T1", price: str = "0.25", **more: Any) -> bytes:
    value = {
        "id": tariff_id,
        "currency": "EUR",
        "last_updated": "2024-01-01T00:00:00Z",
        "elements": [{"price_components": [{"type": "ENERGY", "price": price}]}],
    }
    return json.dumps(value | more, indent=1).encode()


def desk(*documents: bytes, settings: Settings | None = None) -> ReferenceDesk:
    """Return a desk that knows EV-001 with tariff T1 and versions published a second apart."""
    tariffs, register = Tariffs(), Register.in_memory()
    if documents:
        tariffs.apply([ReferenceRecord(n, n * 1_000, None, d) for n, d in enumerate(documents)])
    register.apply([ReferenceRecord(0, 0, b"EV-001", b'{"station_id":"EV-001","tariff_id":"T1"}')])
    known = SimpleNamespace(tariffs=tariffs, register=register)
    return ReferenceDesk(known, settings or Settings())


def test_terms_find_their_tariff_again_whatever_is_published_later() -> None:
    ours = desk(document(), document(price="0.5"))
    terms = ours.terms("EV-001", 1, 0)
    assert terms is not None
    assert (terms.tariff_id, terms.tariff_version, terms.time_zone) == ("T1", 0, "UTC")
    tariff = desk(document(), document(price="0.5"), document(price="0.7")).tariff(terms)
    assert tariff.plan.version == 0
    assert json.loads(tariff.document) == json.loads(document())
    assert b" " not in tariff.document


def test_a_plan_is_made_once_for_each_version() -> None:
    ours = desk(document(), document())
    first, later = ours.terms("EV-001", 1, 0), ours.terms("EV-001", 1, 5_000_000)
    assert first is not None
    assert later is not None
    assert first.tariff_digest == later.tariff_digest
    assert ours.tariff(first) is ours.tariff(first)
    assert ours.tariff(first).plan.version != ours.tariff(later).plan.version


def test_dates_of_the_tariff_itself_are_heeded() -> None:
    ours = desk(document(), document(price="9", start_date_time="2099-01-01T00:00:00"))
    terms = ours.terms("EV-001", 1, 10_000_000)
    assert terms is not None
    assert terms.tariff_version == 0


def test_without_a_tariff_charging_is_free_in_the_currency_of_the_settings() -> None:
    ours = desk(settings=Settings(currency="JPY", default_time_zone="Asia/Tokyo"))
    terms = ours.terms("EV-999", 1, 0)
    assert terms is not None
    assert (terms.tariff_id, terms.tariff_version, terms.time_zone) == ("free", None, "Asia/Tokyo")
    assert ours.tariff(terms).plan.tariff.currency == "JPY"
    assert ours.terms("EV-001", 1, 0) is None, "T1 is named, but not known"


def test_the_default_tariff_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "tariff.json"
    file.write_bytes(document("OURS"))
    ours = desk(settings=Settings(default_tariff=file))
    terms = ours.terms("EV-999", 1, 0)
    assert terms is not None
    assert (terms.tariff_id, terms.tariff_version) == ("OURS", None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{}", "id is missing"),
        (b"no", "not JSON"),
        (None, "No such file"),
        (document("OURS")[:-1] + b', "x": "%b"}' % (b"y" * 500_000), "The tariff has 500,"),
    ],
)
def test_a_default_tariff_that_cannot_be_used_stops_the_start(
    content: bytes | None, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "tariff.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError, match=f"EVCHARGE_DEFAULT_TARIFF=.*{told}"):
        desk(settings=Settings(default_tariff=file))


def test_a_currency_that_does_not_exist_stops_the_start() -> None:
    with pytest.raises(SettingError, match="EVCHARGE_CURRENCY='ABC'"):
        desk(settings=Settings(currency="ABC"))


def test_a_tariff_that_a_decision_brought_has_no_version() -> None:
    ours = desk()
    tariff = ours.published(document("T9"))
    assert tariff.plan.version is None
    assert ours.tariff(Terms("T9", None, tariff.digest, "UTC")) is tariff


def test_terms_of_a_tariff_that_nobody_brought_say_so() -> None:
    with pytest.raises(UnknownTariffError, match="T9"):
        desk().tariff(Terms("T9", None, "0123456789abcdef", "UTC"))
