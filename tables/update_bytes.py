"""What an update in order may write to ``charging-sessions``, and so how long a tail may be."""

from __future__ import annotations

UPDATE_BYTES = 300
"""Keys and values that an update in order writes at most, its ids having up to :data:`ID_BYTES`."""

ID_BYTES = 122
"""Characters of station, session and user together; each further one makes an update a byte longer.

The largest update names no user and writes a session's row without a tail, 84 bytes beside the user, and
a block, 26 bytes and a record of 66; 2 bytes tell the ids in the key apart.
"""

_TAIL_BYTES = ID_BYTES + 2


def tail_bytes(session: bytes, user_id: str | None) -> int:
    """Return how long the tail of a session's row with this key may be, negative: it has none.

    The next update turns it into a block, and even the largest must not write more than it may.
    """
    return _TAIL_BYTES - len(session) - (len(user_id) if user_id else 0)
