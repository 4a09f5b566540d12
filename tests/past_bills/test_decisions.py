"""The ids of a re-rating's decisions, and what they say."""

from __future__ import annotations

import json

import pytest

from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.identifiers import is_id
from evcharge.errors import CommandError
from evcharge.events.session_decisions import (
    SessionDecision,
    encode_session_decision,
    parse_session_decision,
)
from evcharge.events.tariffs import MAX_BYTES
from evcharge.past_bills.decisions import decided, decision_id, decision_prefix
from evcharge.past_bills.tariff_file import read_tariff
from tests.domain.test_billing_audit import billed, sealed


def tariff(price: float = 0.6) -> bytes:
    component = {"type": "ENERGY", "price": price}
    return json.dumps(
        {
            "id": "T1",
            "currency": "EUR",
            "last_updated": "2023-01-01T00:00:00Z",
            "elements": [{"price_components": [component]}],
        }
    ).encode()


RATED = read_tariff("t", tariff())
SEALED: Sealed = sealed(billed())


def test_an_id_follows_from_tariff_session_and_bill() -> None:
    others = (
        (read_tariff("t", tariff(0.7)), SEALED),
        (RATED, SEALED._replace(station_id="EV-002")),
        (RATED, SEALED._replace(session_id="S2")),
        (RATED, SEALED._replace(bill=2)),
    )
    name = decision_id(RATED, SEALED)
    assert is_id(name)
    assert name.startswith(decision_prefix(RATED))
    assert len({name, *(decision_id(*each) for each in others)}) == 5


def test_nothing_else_makes_another_id() -> None:
    same = SEALED._replace(revision=9, billed_us=0)
    spaced = read_tariff("t", b"\xef\xbb\xbf" + tariff().replace(b", ", b" ,\n  "))
    assert decision_id(spaced, same) == decision_id(RATED, SEALED)


def test_the_record_can_be_read_by_those_who_carry_it_out() -> None:
    value = encode_session_decision(decided(SEALED, RATED, "rerate"), 0)
    said = parse_session_decision(value)
    assert isinstance(said, SessionDecision)
    assert (said.decision, said.decisions) == ("rerate", None)
    assert int(said.revision) == SEALED.revision


def test_a_tariff_that_is_too_large_is_refused_before_anything_is_written() -> None:
    text = json.dumps("x" * MAX_BYTES).encode()
    with pytest.raises(CommandError, match=r"t: The tariff has 500,[0-9]{3} bytes without white"):
        read_tariff("t", tariff()[:-1] + b', "tariff_alt_url": ' + text + b"}")
