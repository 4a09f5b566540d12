r"""The rows of the table ``charging-sessions`` that keep the records of decisions that wait.

=========  ==============================  ====================================================
row        key                             value
=========  ==============================  ====================================================
waiting    ``W`` station \0 session        ``[1, topic, key, value, headers]``: a record of
           \0 offset                       ``session-decisions`` as it came, whose decision waits
                                           in the session's account
=========  ==============================  ====================================================

A decision that cannot be carried out becomes a dead letter, byte for byte, also if that turns out when
its records come: in a step of another topic, long after it was read. Each row is deleted when its
decision waits no more, so there are as many as accounts have waiting decisions.
Only writers: those of the sessions (``charging_sessions.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class WaitingDecision(msgspec.Struct, array_like=True, tag=1, frozen=True, gc=False):
    """A record as it came; its partition and offset are those of its decision."""

    topic: str
    """Full name."""
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


encode_waiting = msgspec.msgpack.Encoder().encode
decode_waiting = msgspec.msgpack.Decoder(WaitingDecision).decode


def waiting_key(station_id: str, session_id: str, offset: int) -> bytes:
    """Return the key of the record at an offset of ``session-decisions``."""
    return f"W{station_id}\0{session_id}\0{offset}".encode()
