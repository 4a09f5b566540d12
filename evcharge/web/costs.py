"""What a session costs as it is read: its bill's own cost, or the running cost by the same function."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Session, ordered, priced, state_at
from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.domain.pricing import MAX_CHANGES, Cost, changes_in, session_cost
from evcharge.domain.quantities import DAY_US
from evcharge.domain.session import Lifecycle
from evcharge.events.cost import cost_bytes
from evcharge.web.context import WebContext
from evcharge.web.read_desk import ReadDesk, UnknownTariffError
from evcharge.web.state import KeptSession

logger = logging.getLogger(__name__)

MOST_RECORDS = 50_000
"""Records that are read to price the sessions of one page: a fraction of a second of work."""

FEW_RECORDS = 500
"""A session of so many is priced at once, in a millisecond; one of more in a thread."""

FEW_DAYS_US = 8 * DAY_US
"""The same of its duration, for a tariff that depends on local time."""


class _Invoice(msgspec.Struct):
    cost: msgspec.Raw


_decode_invoice = msgspec.json.Decoder(_Invoice).decode


def affordable(sessions: Iterable[KeptSession]) -> int:
    """Return how many of the first sessions a page can have, at least one if there are any.

    Pricing a session without an invoice reads its records. Where they are too many for one page, the
    page is shorter than asked for, and the next one goes on.
    """
    records = taken = 0
    for kept in sessions:
        records += _records_read(kept)
        if taken and records > MOST_RECORDS:
            break
        taken += 1
    return taken


def _records_read(kept: KeptSession) -> int:
    if kept.unbilled:
        return 0
    account = kept.account
    invoiced = account is not None and account.invoice is not None and not account.changed
    return 1 if invoiced else kept.state.revision


async def cost_of(context: WebContext, kept: KeptSession) -> msgspec.Raw | None:
    """Return the contract's Cost of a session, or None if it has none.

    * What is sealed costs what was sealed: of an invoice its own cost, otherwise what its records and
      corrections cost under the stored terms.
    * A sealed session that waits for a decision because its records say something else
      (``changed-after-invoice``), or that has no invoice and is held, costs what these do under the
      stored terms.
    * Any other session costs what it would if it ended with its last record, under the terms that would
      be chosen now.
    * None: it is void, or without a start, or ended without an energy or before its start, or its
      station names a tariff that is not known, or it is so long that local time changes its tariff more
      than :data:`~evcharge.domain.pricing.MAX_CHANGES` times; or it is not billed
      (:attr:`KeptSession.unbilled`).
    """
    if kept.unbilled:
        return None
    state = kept.state
    lasted_us = state.last_us - (state.last_us if state.started_us is None else state.started_us)
    work = partial(_cost, context, kept, ReadDesk(context, kept, state.started_us))
    if _records_read(kept) > FEW_RECORDS or lasted_us > FEW_DAYS_US:
        cost = await context.aside.do(work)
    else:
        cost = work()
        await asyncio.sleep(0)
    return None if cost is None else msgspec.Raw(cost)


def _cost(context: WebContext, kept: KeptSession, desk: ReadDesk) -> bytes | None:
    session, account = kept.session, kept.account
    if kept.stands.standing is Lifecycle.VOID:
        return None
    try:
        if account is None or account.total is None or account.changed or _waits(kept, account):
            return _running(desk, session, account)
        return _invoiced(context, session, account) or _sealed(desk, session, account)
    except UnknownTariffError:
        logger.exception("A session of station %s has no price", session.station_id)
        return None


def _waits(kept: KeptSession, account: Account) -> bool:
    """Whether a session whose bill follows its records is held, so that its last bill is another's."""
    follows = account.invoice is None and account.verdict is None
    return follows and kept.stands.standing is Lifecycle.HELD


def _invoiced(context: WebContext, session: Session, account: Account) -> bytes | None:
    if account.invoice is None:
        return None
    name = invoice_id(Kind.INVOICE, session.station_id, session.session_id, account.invoice)
    reader = context.reader
    document = reader.invoice(reader.partition_of(session.station_id), name)
    return None if document is None else bytes(_decode_invoice(document).cost)


def _sealed(desk: ReadDesk, session: Session, account: Account) -> bytes | None:
    assert account.terms is not None, "sealed"
    tariff = desk.tariff(account.terms)
    started_us, ended_us, *_ = account.facts
    if changes_in(tariff.plan, started_us, ended_us) > MAX_CHANGES:
        return None
    state, records = state_at(session, account.revision)
    # A session that was forgotten in this moment has none left.
    if not records:
        return None
    _, cost = priced(state, records, account.terms, tariff, session.limits, account.corrections)
    return cost_bytes(cost)


def _running(desk: ReadDesk, session: Session, account: Account | None) -> bytes | None:
    state = session.state
    if state.started_us is None or (state.ended_us is not None and state.energy_uwh is None):
        return None
    frozen = None if account is None else account.terms
    terms = frozen or desk.terms(session.station_id, state.connector_id, state.started_us)
    if terms is None:
        return None
    tariff = desk.tariff(terms)
    upto_us = state.last_us if state.ended_us is None else state.ended_us
    if changes_in(tariff.plan, state.started_us, upto_us) > MAX_CHANGES:
        return None
    cost: Cost | None = None
    # A session that was forgotten in this moment has none left.
    if records := session.known():
        zone = ZoneInfo(terms.time_zone)
        cost = session_cost(tariff.plan, state, ordered(records), zone, session.limits)
    return None if cost is None else cost_bytes(cost)
