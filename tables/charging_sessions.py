r"""Table ``charging-sessions``: every session, its records, and where to find it.

=========  ==============================  ====================================================
row        key                             value
=========  ==============================  ====================================================
session    ``S`` station \0 session        ``[1, blocks, [state…], n, tail, [account…],
                                           completed_us, unpriced]``: the folded state, how many
                                           blocks of records, the last n records (too few yet for a
                                           block), what is remembered of its bills (nil: nothing),
                                           when it was completed, if after its end, and whether it
                                           was sealed without a price. A state of revision 0:
                                           decisions wait for records. ``[1]``: it is forgotten
records    ``R`` digest n                  ``[1, [[record…], …]]``: block n of the session's records,
                                           in the order of arrival; the digest is of its row's key
open       ``O`` station \0 session        ``[1]``: the session has not ended
index      ``I`` session \0 station        ``[1]``: a station that has a session of this id
=========  ==============================  ====================================================

A session is a function of the set of its records, so all of them are kept; but a record that arrives
in order only adds a small block and rewrites the state, whose size is bounded, whatever came before
(``update_bytes.py``). Of a forgotten session only the marker is left (``closed_sessions.py`` has the
rows that say when). Bills are in the rows of ``invoices.py``, which sessions are held in
``held_sessions.py``, decisions that wait in ``waiting_decisions.py``. Only the agents of sessions and
decisions write, in one pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Any, Protocol, TypeAlias

import msgspec

from evcharge.domain.billing.account import Account
from evcharge.domain.session import SessionState
from evcharge.domain.session_record import (
    SessionRecord,
    StoredRecord,
    all_restored,
    all_stored,
)
from evcharge.domain.station_session import OpenSession
from evcharge.storage.partition_store import PartitionStore

NAME = "charging-sessions"
VERSION = 1

RECORDS_A_BLOCK = 500
"""Records; keeps a row far below the size of a record batch."""

PRESENT = b"\x91\x01"
"""The row ``[1]``: its key says everything."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_OF_ENDED = SessionState._fields.index("ended_us")
_NONE_OF_ENDED = (None,) * (len(SessionState._fields) - _OF_ENDED)

_FIXARRAY = 15
"""Elements up to which a MessagePack array begins with one byte; one that fits a block needs three."""
_BLOCK = b"\x92\x01\xdc"
"""``[1, [``: how a block begins, before the number of its records in two bytes."""


class SessionRow(msgspec.Struct, array_like=True, tag=VERSION, frozen=True, gc=False):
    """A session's row."""

    blocks: int
    """How many blocks of records it has."""
    state: SessionState
    waiting: int = 0
    """How many records wait in the tail for a block."""
    tail: bytes = b""
    """Their bytes."""
    account: Account | None = None
    """What is remembered of its bills; None until it is sealed or somebody decides about it."""
    completed_us: int | None = None
    """Ingest time of the record or the decision that completed the session or led to its last bill,
    where that is later than its end's: its deadline counts from then."""
    unpriced: bool = False
    """Whether it was sealed while billing was switched off: it has no account, and never will."""

    @property
    def is_open(self) -> bool:
        """Whether the session occupies its connector: one that a person has closed does not."""
        state, account = self.state, self.account
        return (
            state.ended_us is None
            and state.revision > 0
            and (account is None or not account.is_settled)
        )


class Forgotten(Enum):
    """What is left of a session whose time has passed."""

    FORGOTTEN = "forgotten"


FORGOTTEN = Forgotten.FORGOTTEN

Kept: TypeAlias = SessionRow | Forgotten
"""What a session's row can be."""


_decode_row = msgspec.msgpack.Decoder(SessionRow).decode


class RowReader(Protocol):
    """Where rows are read: a step, or what is durable."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]: ...


def session_key(station_id: str, session_id: str) -> bytes:
    """Return the key of a session's row."""
    return f"S{station_id}\0{session_id}".encode()


def open_key(station_id: str, session_id: str) -> bytes:
    """Return the key of the row that a session has while it is open."""
    return f"O{station_id}\0{session_id}".encode()


def index_key(session_id: str, station_id: str) -> bytes:
    """Return the key of the row that tells that a station has a session of this id."""
    return f"I{session_id}\0{station_id}".encode()


def block_key(station_id: str, session_id: str, number: int) -> bytes:
    """Return the key of a block of records."""
    return _blocks_prefix(station_id, session_id) + number.to_bytes(4, "big")


def _blocks_prefix(station_id: str, session_id: str) -> bytes:
    return b"R" + blake2b(session_key(station_id, session_id), digest_size=16).digest()


def encode_session(row: SessionRow) -> bytes:
    """Return the row's bytes."""
    state: Sequence[Any] = row.state
    if state[_OF_ENDED:] == _NONE_OF_ENDED:
        state = state[:_OF_ENDED]
    account: Sequence[Any] | None = row.account
    if account is not None:
        end = len(account)
        while account[end - 1] is None:
            end -= 1
        account = account[:end]
    fields = (VERSION, row.blocks, state, row.waiting, row.tail, account)
    if row.unpriced:
        return _encode((*fields, row.completed_us, True))
    return _encode(fields if row.completed_us is None else (*fields, row.completed_us))


def decode_session(value: bytes) -> SessionRow:
    """Return the row of its bytes, which are no marker."""
    return _decode_row(value)


def decode_kept(value: bytes) -> Kept:
    """Return the row of its bytes, or that it is a marker."""
    return FORGOTTEN if value == PRESENT else _decode_row(value)


def encode_records(records: Sequence[SessionRecord]) -> bytes:
    """Return a block's bytes; the session's identity is in the key."""
    return _block(len(records), _bytes_of(all_stored(records)))


def decode_records(station_id: str, session_id: str, block: bytes) -> list[SessionRecord]:
    """Return the records of a block."""
    return all_restored(station_id, session_id, _decode(block)[1])


def decode_tail(station_id: str, session_id: str, row: SessionRow) -> list[SessionRecord]:
    """Return the records that wait for a block."""
    return decode_records(station_id, session_id, _block(row.waiting, row.tail))


def _block(count: int, records: bytes) -> bytes:
    return b"%b%b%b" % (_BLOCK, count.to_bytes(2, "big"), records)


def _bytes_of(records: Sequence[StoredRecord]) -> bytes:
    """Return the bytes of each record, one behind the other."""
    if len(records) == 1:
        return _encode(records[0])
    # One array costs less than its records one by one; how it begins tells only how many they are.
    opening = 1 if len(records) <= _FIXARRAY else 3
    return _encode(records)[opening:]


def stored_records(
    rows: RowReader, station_id: str, session_id: str, row: SessionRow | None
) -> list[SessionRecord]:
    """Return all records kept of a session, in the order in which they arrived; none without a row."""
    if row is None:
        return []
    blocks = rows.get_many(block_keys(station_id, session_id, row)) if row.blocks else ()
    return all_restored(station_id, session_id, records_of(row, blocks))


def block_keys(station_id: str, session_id: str, row: SessionRow) -> list[bytes]:
    """Return the keys of all blocks of a session's records."""
    prefix = _blocks_prefix(station_id, session_id)
    return [prefix + number.to_bytes(4, "big") for number in range(row.blocks)]


def records_of(row: SessionRow, blocks: Iterable[bytes | None]) -> list[StoredRecord]:
    """Return all records of a session as they are kept, in the order in which they arrived."""
    # All of them at once take half the time of one after the other.
    count, pieces = row.waiting, [b""]
    for block in blocks:
        if block is not None:
            count += int.from_bytes(block[3:5], "big")
            pieces.append(block[5:])
    pieces[0] = b"\xdd%b" % count.to_bytes(4, "big")
    pieces.append(row.tail)
    return _decode(b"".join(pieces))  # type: ignore[no-any-return]


def append_records(
    waiting: int, tail: bytes, records: Sequence[StoredRecord], most: int
) -> tuple[int, bytes, Sequence[bytes]]:
    """Append records behind a tail that becomes a block with them if it would be longer than ``most``.

    Returns how many wait in the tail, the tail, and the blocks that became full.
    """
    if len(records) <= RECORDS_A_BLOCK:
        waiting += len(records)
        tail += _bytes_of(records)
        if len(tail) <= most:
            return waiting, tail, ()
        return 0, b"", (_block(waiting, tail),)
    blocks: list[bytes] = []
    for start in range(0, len(records), RECORDS_A_BLOCK):
        some = records[start : start + RECORDS_A_BLOCK]
        waiting, tail, full = append_records(waiting, tail, some, most)
        blocks += full
    return waiting, tail, blocks


class ChargingSessionsReader:
    """Reads what is durable of one partition."""

    def __init__(self, store: PartitionStore) -> None:
        self._store = store

    def row(self, station_id: str, session_id: str) -> SessionRow | None:
        """Return a session's row, None of one that has no records or is forgotten."""
        return _row(self._store.get(session_key(station_id, session_id)))

    def rows_of(self, station_id: str) -> Iterator[tuple[str, SessionRow]]:
        """Yield the rows of a station's sessions, sorted by id."""
        prefix = session_key(station_id, "")
        for key, value in self._store.scan(prefix):
            row = _row(value)
            if row is not None:
                yield key[len(prefix) :].decode(), row

    def station_ids(self, after: str | None = None) -> Iterator[str]:
        """Yield the ids of the stations that have or had sessions, sorted, from behind ``after`` on."""
        while True:
            # Behind the last session of a station: the separator's successor ends its rows.
            start = None if after is None else f"S{after}\1".encode()
            key = next((key for key, _ in self._store.scan(b"S", start)), None)
            if key is None:
                return
            after = key[1:].partition(b"\0")[0].decode()
            yield after

    def open_sessions(self, station_id: str) -> list[OpenSession]:
        """Return a station's sessions that have not ended, sorted by id."""
        prefix = open_key(station_id, "")
        ids = [key[len(prefix) :].decode() for key, _ in self._store.scan(prefix)]
        rows = self._store.get_many([session_key(station_id, each) for each in ids])
        return [
            OpenSession(each, row.state.connector_id, row.state.started_us, row.state.updated_us)
            for each, row in zip(ids, map(_row, rows), strict=True)
            # A row of an open session can outlive its deletion: compaction forgets what was deleted.
            if row is not None and row.is_open
        ]

    def stations_having(self, session_id: str) -> Iterator[str]:
        """Yield the stations that have a session of this id, sorted."""
        prefix = index_key(session_id, "")
        for key, _ in self._store.scan(prefix):
            yield key[len(prefix) :].decode()


def _row(value: bytes | None) -> SessionRow | None:
    """Return a session's row: none of a marker, or where only decisions wait for records."""
    if value is None or value == PRESENT:
        return None
    row = decode_session(value)
    return row if row.state.revision else None
