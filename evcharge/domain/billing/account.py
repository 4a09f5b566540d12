"""What is remembered of a session's bills: enough to say what a further record or decision changes."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from evcharge.domain.billing.decision import Corrections, Decision, Verdict
from evcharge.domain.billing.terms import Terms
from evcharge.domain.session import SessionState

MOST_REMEMBERED = 32
"""Ids of decisions: a repetition older than so many is not recognised by its id."""

MOST_WAITING = 8
"""Decisions that wait for records; of more the earliest are given up, for later ones count anyway."""


_new = tuple.__new__  # of a tuple: half of the time that the fields one by one take


class Facts(NamedTuple):
    """What of a session a bill depends on, beside the course of its power."""

    started_us: int | None = None
    ended_us: int | None = None
    energy_uwh: int | None = None
    user_id: str | None = None

    @property
    def are_billable(self) -> bool:
        """Whether there are a start, an end that is not before it, and an energy."""
        return (
            self.started_us is not None
            and self.ended_us is not None
            and self.started_us <= self.ended_us
            and self.energy_uwh is not None
        )

    def corrected(self, corrections: Corrections | None) -> Facts:
        """Return the facts with a person's values in place of the records'."""
        if corrections is None:
            return self
        started_us, ended_us, energy_uwh, user_id = corrections
        return Facts(
            self.started_us if started_us is None else started_us,
            self.ended_us if ended_us is None else ended_us,
            self.energy_uwh if energy_uwh is None else energy_uwh,
            self.user_id if user_id is None else user_id,
        )


def facts_of(state: SessionState) -> Facts:
    """Return what the records say."""
    return _new(Facts, (state.started_us, state.ended_us, state.energy_uwh, state.user_id))


class Total(NamedTuple):
    """What a bill comes to, in minor units of its currency."""

    excl_vat: int
    incl_vat: int

    @property
    def kept(self) -> KeptTotal:
        """As an account keeps it."""
        excl, incl = self
        return self if max(abs(excl), abs(incl)) < 1 << 63 else (str(excl), str(incl))


KeptTotal: TypeAlias = tuple[int | str, int | str]
"""A :class:`Total` that a row can hold: numbers have 64 bits there, so of larger ones their decimals.

Absurd prices and energies, each within its limits, come to as much."""


class Account(NamedTuple):
    """A session's bills as of its last record and decision.

    A value of primitives that a table stores as the array of its fields, in this order, without trailing
    Nones: new fields go at the end, seldom used ones are last.
    """

    bill: int = 0
    """The number of the bill that was sealed last, from 1; 0: none was."""
    revision: int = 0
    """How many of the session's records were looked at: by the seal or by the last decision."""
    seen: Facts | None = None
    """What these records said."""
    total: KeptTotal | None = None
    """What the last bill comes to."""
    terms: Terms | None = None
    """Under which it was priced: frozen with the first bill."""
    invoice: int | None = None
    """The bill whose invoice stands; None: there is nothing to be paid."""
    changed: bool | None = None
    """True: later records say something else than what was looked at, or make another price of it."""
    doubts: int | None = None
    """Reasons, as bits, why a completed session could not be billed: those of its terms."""
    verdict: Verdict | None = None
    """The last decision that was applied: approve, correct or void."""
    accepted: int | None = None
    """The held reasons, as bits, that it settled."""
    corrections: Corrections | None = None
    decided: int | None = None
    """The offset of the decision that says so."""
    rated: int | None = None
    """The offset of the last re-rating that was applied."""
    decisions: int | None = None
    """How many were accepted, applied or waiting."""
    known: tuple[str, ...] | None = None
    """Their ids, the last ones."""
    waiting: tuple[Decision, ...] | None = None
    """Those that are about records, or a bill, that have not come yet."""

    @property
    def is_settled(self) -> bool:
        """Whether the session was sealed, or a person said what it is."""
        return self.bill > 0 or self.verdict is not None

    @property
    def facts(self) -> Facts:
        """What is billed: what was seen, as it was corrected."""
        return (self.seen or Facts()).corrected(self.corrections)


NO_ACCOUNT = Account()
"""Of a session that was never sealed nor decided about."""
