"""Rows of billing are found by what they are asked for, and read as they were written."""

from __future__ import annotations

from evcharge.domain.billing.series import Series
from evcharge.storage.partition_store import MemoryPartition
from tables.charging_sessions import PRESENT
from tables.invoices import (
    InvoicesReader,
    decode_counter,
    decode_tariff,
    encode_counter,
    encode_tariff,
    invoice_key,
    number_key,
    tariff_key,
    user_key,
)


def invoiced(**users: str) -> InvoicesReader:
    """Return a reader of invoices, each named with its user."""
    store = MemoryPartition()
    for invoice, user in users.items():
        store.write({invoice_key(invoice): invoice.encode(), user_key(user, invoice): PRESENT}, 0)
    return InvoicesReader(store)


def test_an_invoice_is_read_byte_for_byte_as_it_was_written() -> None:
    reader = invoiced(a1="U1")
    assert reader.invoice("a1") == b"a1"
    assert reader.invoice("a2") is None


def test_a_users_invoices_are_sorted_by_id_and_no_other_users() -> None:
    reader = invoiced(b="U1", a="U1", c="U10", d="U1")
    assert list(reader.invoices_of("U1")) == [("a", b"a"), ("b", b"b"), ("d", b"d")]
    assert list(reader.invoices_of("U1", "a")) == [("b", b"b"), ("d", b"d")]
    assert list(reader.invoices_of("U")) == []


def test_each_series_has_a_counter_of_its_own() -> None:
    series = [
        Series(issuer, year, lane)
        for issuer in ("0a0a0a0a", "0b0b0b0b")
        for year in (2025, 2026)
        for lane in (1, 11)
    ]
    assert len({number_key(each) for each in series}) == len(series)
    assert decode_counter(encode_counter(70_000)) == 70_000


def test_a_tariff_is_kept_by_its_digest() -> None:
    assert tariff_key("00ff") != tariff_key("00fe")
    assert decode_tariff(encode_tariff(b'{"id":"T"}')) == b'{"id":"T"}'
