r"""The rows of the table ``charging-sessions`` that billing adds: documents, numbers, tariffs.

=========  ==============================  ====================================================
row        key                             value
=========  ==============================  ====================================================
invoice    ``V`` invoice_id                the record of ``invoices``, byte for byte: an invoice or
                                           a credit note
user's     ``U`` user \0 invoice_id        ``[1]``: an invoice or credit note of a user
number     ``N`` issuer \0 year \0 lane    ``[1, counter]``: how many numbers a series has
tariff     ``T`` digest                    ``[1, document]``: a tariff that was never published, of
                                           which terms of the partition's sessions name the digest
=========  ==============================  ====================================================

Written in the step that bills the session, so a number is counted exactly where its invoice is written.
All of a series is in one partition, for a lane is (64 lanes, and partitions divide them). None of these
rows is ever deleted. Only writers: those of the sessions (``charging_sessions.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from evcharge.domain.billing.series import Series
from evcharge.storage.partition_store import PartitionStore

VERSION = 1

_encode = msgspec.msgpack.Encoder().encode
_decode_number = msgspec.msgpack.Decoder(tuple[int, int]).decode
_decode_tariff = msgspec.msgpack.Decoder(tuple[int, bytes]).decode


def invoice_key(invoice_id: str) -> bytes:
    """Return the key of an invoice or a credit note."""
    return b"V" + invoice_id.encode()


def user_key(user_id: str, invoice_id: str) -> bytes:
    """Return the key of the row that tells that an invoice is a user's."""
    return f"U{user_id}\0{invoice_id}".encode()


def number_key(series: Series) -> bytes:
    """Return the key of a series' counter."""
    issuer, year, lane = series
    return f"N{issuer}\0{year}\0{lane}".encode()


def tariff_key(digest: str) -> bytes:
    """Return the key of a tariff that was never published."""
    return b"T" + digest.encode()


def encode_counter(counter: int) -> bytes:
    """Return the row of a series with so many numbers."""
    return _encode((VERSION, counter))


def decode_counter(row: bytes) -> int:
    """Return how many numbers a series has."""
    return _decode_number(row)[1]


def encode_tariff(document: bytes) -> bytes:
    """Return the row of a tariff's document."""
    return _encode((VERSION, document))


def decode_tariff(row: bytes) -> bytes:
    """Return the document of a row."""
    return _decode_tariff(row)[1]


class InvoicesReader:
    """Reads what is durable of one partition."""

    def __init__(self, store: PartitionStore) -> None:
        self._store = store

    def invoice(self, invoice_id: str) -> bytes | None:
        """Return the record of an invoice or a credit note, None if it is not here."""
        return self._store.get(invoice_key(invoice_id))

    def invoices_of(self, user_id: str, after: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield a user's invoices and credit notes with their ids, sorted by these, behind an id."""
        prefix = user_key(user_id, "")
        start = None if after is None else user_key(user_id, after)
        for key, _ in self._store.scan(prefix, start):
            invoice_id = key[len(prefix) :].decode()
            record = self.invoice(invoice_id)
            if record is not None:
                yield invoice_id, record
