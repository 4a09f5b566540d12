"""The currencies of ISO 4217 and how many decimals each is paid in.

Source: ISO 4217:2015, list one of its maintenance agency (SIX, Zürich) as published on 2026-01-01.
Codes withdrawn since 2020 stay, for sessions of those years.
Codes without a minor unit (gold, test codes, drawing rights) are no money that a driver pays with.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD
HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP
MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD
SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS
VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_TWO_WITHDRAWN = "ANG BGN CUC HRK SLL ZWL"
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

MINOR_UNITS: Mapping[str, int] = MappingProxyType(
    {
        code: digits
        for digits, codes in (
            (0, _NONE),
            (2, _TWO),
            (2, _TWO_WITHDRAWN),
            (3, _THREE),
            (4, _FOUR),
        )
        for code in codes.split()
    }
)
"""Decimals by alphabetic code: EUR 2, JPY 0, KWD 3."""
