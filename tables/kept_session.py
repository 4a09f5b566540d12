"""How a session's row changes, and with it its records and the rows by which it is found."""

from __future__ import annotations

from collections.abc import Sequence

from evcharge.domain.billing.account import Account
from evcharge.domain.session import Lifecycle, SessionState
from evcharge.domain.session_record import StoredRecord
from tables.charging_sessions import (
    PRESENT,
    SessionRow,
    append_records,
    block_key,
    encode_session,
    index_key,
    open_key,
    session_key,
)
from tables.closed_sessions import Rows, SessionId
from tables.held_sessions import held_key, is_held
from tables.update_bytes import tail_bytes


def keep_session(
    rows: Rows,
    session: SessionId,
    row: SessionRow | None,
    state: SessionState,
    appended: Sequence[StoredRecord],
    account: Account | None,
    completed_us: int | None,
    lifecycle: Lifecycle | None = None,
    *,
    unpriced: bool = False,
) -> None:
    """Replace a session's row, if it has one, by one with a new state, more records and an account.

    ``lifecycle``: what the session then is, if that is known already. ``unpriced``: see
    :class:`~tables.charging_sessions.SessionRow`.
    """
    station_id, session_id = session
    key = session_key(station_id, session_id)
    blocks, waiting, tail = (row.blocks, row.waiting, row.tail) if row else (0, 0, b"")
    if appended:
        waiting, tail, full = append_records(
            waiting, tail, appended, tail_bytes(key, state.user_id)
        )
        for block in full:
            rows.put(block_key(station_id, session_id, blocks), block)
            blocks += 1
    changed = SessionRow(blocks, state, waiting, tail, account, completed_us, unpriced)
    rows.put_state(key, changed, encode_session)
    if state.revision and (row is None or not row.state.revision):
        rows.put(index_key(session_id, station_id), PRESENT)
    if (
        account is None
        and row is not None
        and row.account is None
        and row.state.revision
        and state.ended_us is row.state.ended_us is None
        and state.reasons == row.state.reasons
    ):
        # Nearly always: a session goes on, and is found as before.
        return
    is_open = changed.is_open
    if is_open != (row is not None and row.is_open):
        rows.put(open_key(station_id, session_id), PRESENT if is_open else None)
    held = is_held(state, account) if lifecycle is None else lifecycle is Lifecycle.HELD
    if held != (row is not None and is_held(row.state, row.account)):
        rows.put(held_key(station_id, session_id), PRESENT if held else None)
