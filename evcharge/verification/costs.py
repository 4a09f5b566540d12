"""What a session has to cost when it is asked for over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from evcharge.domain.billing.account import Account
from evcharge.domain.billing.bill import Session, ordered, priced, state_at
from evcharge.domain.billing.standing import standing_of
from evcharge.domain.billing.terms import RatedTariff, Terms
from evcharge.domain.pricing import MAX_CHANGES, changes_in, cost_json, session_cost
from evcharge.domain.session import Lifecycle, Limits, SessionState
from evcharge.domain.session.flood import with_witnesses
from evcharge.verification.log import Log
from evcharge.verification.papers import said
from evcharge.verification.reference import Reference

CostJson: TypeAlias = dict[str, Any] | None


def possible_costs(
    log: Log,
    state: SessionState,
    account: Account | None,
    reference: Reference,
    limits: Limits,
    now_us: int,
) -> Sequence[CostJson]:
    """Return what an answer may say that a session costs (docs/billing.md, *Over HTTP*).

    Several are possible where its terms are not frozen yet: those that would be chosen now count, and
    what was published in the last minutes need not be read yet.
    """
    standing = standing_of(state, account).standing
    if standing is Lifecycle.VOID:
        return [None]
    if account is not None and account.total is not None and not account.changed:
        if account.invoice is not None:
            return [said(log.papers.sealed[-1])["cost"]] if log.papers.sealed else [None]
        # Of one without a decision either, that is held, the bill will follow the records.
        if account.verdict is not None or standing is not Lifecycle.HELD:
            return [_sealed_cost(log, state, account, reference, limits)]
    if state.started_us is None or (state.ended_us is not None and state.energy_uwh is None):
        return [None]
    if account is not None and account.terms is not None:
        choices: Sequence[Any] = [account.terms]
    else:
        ids = log.station_id, state.connector_id, state.started_us
        choices = reference.choices(*ids, now_us)
    upto_us = state.last_us if state.ended_us is None else state.ended_us
    records = ordered(with_witnesses(state, log.kept))
    costs: list[CostJson] = []
    for terms in choices:
        tariff = _tariff_of(terms, reference, state.started_us, upto_us)
        zone = terms and ZoneInfo(terms.time_zone)
        cost = tariff and session_cost(tariff.plan, state, records, zone, limits)
        costs.append(None if cost is None else cost_json(cost))
    return costs


def _sealed_cost(
    log: Log, state: SessionState, account: Account, reference: Reference, limits: Limits
) -> CostJson:
    """Return what was sealed without an invoice: by the records that were looked at last.

    They come to the sealed total, and another line than the sealed one may lead there.
    """
    terms = account.terms
    started_us, ended_us, *_ = account.facts
    tariff = _tariff_of(terms, reference, started_us, ended_us)
    if terms is None or tariff is None:
        return None
    session = Session(log.station_id, log.session_id, state, lambda: log.kept, limits)
    seen = state_at(session, account.revision)
    _, cost = priced(*seen, terms, tariff, limits, account.corrections)
    return cost_json(cost)


def _tariff_of(
    terms: Terms | None, reference: Reference, started_us: int | None, ended_us: int | None
) -> RatedTariff | None:
    """Return the tariff of a session's terms, None if it has none or is too long to be priced."""
    tariff = terms and reference.tariffs.get(terms.tariff_digest, terms.tariff_version)
    if tariff and changes_in(tariff.plan, started_us, ended_us) > MAX_CHANGES:
        return None
    return tariff
