"""The table of currencies is ISO 4217's: checked against its list one, as published on 2026-01-01."""

from __future__ import annotations

import pytest

from evcharge.domain.tariff import MINOR_UNITS

WITHOUT_CENTS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
WITH_MILLS = "BHD IQD JOD KWD LYD OMR TND"
OF_ACCOUNT = "CLF UYW"
WITHDRAWN_SINCE_2020 = "ANG BGN CUC HRK SLL ZWL"
NO_MONEY = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"


@pytest.mark.parametrize(
    ("digits", "codes"), [(0, WITHOUT_CENTS), (3, WITH_MILLS), (4, OF_ACCOUNT)]
)
def test_the_exceptions_from_two_decimals_are_exactly_these(digits: int, codes: str) -> None:
    assert {code for code, minor in MINOR_UNITS.items() if minor == digits} == set(codes.split())


def test_all_others_have_two_decimals() -> None:
    exceptions = f"{WITHOUT_CENTS} {WITH_MILLS} {OF_ACCOUNT}".split()
    assert {MINOR_UNITS[code] for code in MINOR_UNITS.keys() - set(exceptions)} == {2}
    # Often taken for currencies without cents, because none are in use.
    assert {MINOR_UNITS[code] for code in ("HUF", "IDR", "IRR", "LBP", "MGA", "MRU", "TWD")} == {2}


def test_a_currency_stays_after_its_withdrawal() -> None:
    assert set(WITHDRAWN_SINCE_2020.split()) <= MINOR_UNITS.keys()


def test_what_has_no_minor_unit_is_no_currency_of_a_tariff() -> None:
    assert not {*NO_MONEY.split(), "EURO", "eur"} & MINOR_UNITS.keys()


def test_no_currency_of_the_list_is_missing() -> None:
    in_force = 178 - len(NO_MONEY.split())
    assert len(MINOR_UNITS) == in_force + len(WITHDRAWN_SINCE_2020.split())
