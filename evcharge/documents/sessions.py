"""The page of a session's states and held reasons, from the rules' own tables."""

from __future__ import annotations

from dataclasses import fields

from evcharge.domain.session.held import EXPLAINED, Basis, HeldReason
from evcharge.domain.session.machine import (
    BILLABLE,
    STATES,
    TABLE,
    UNKNOWN,
    WHEN,
    Cell,
    Event,
    Refusal,
    State,
)
from evcharge.settings import PREFIX, Settings

_PAGE = """\
# Sessions

A session is a function of the set of its records, so any order and any repetition give the same
([ADR 0004](adr/0004-a-session-is-a-fold-of-a-set.md)).

Generated from `evcharge/domain/session` by `make docs`.

## States

```mermaid
stateDiagram-v2
{diagram}```

`start`, `update`, `end`, `correction` (an end that says so) and `closed session` are records.
Where a record can lead to several states, the facts decide:

{when}
`approve`, `correct` and `void` are a person's decisions.
One that would complete the session is refused unless {billable}, corrected facts included.

What each event makes of a session in each state:

{cells}
A repeated record changes nothing, in any state but `forgotten`: there nobody can tell.

## Held reasons

An active session may already show reasons; it is held when it ends.
`too-many-readings` alone holds it before.

| reason | means | depends on | vanishes with |
|---|---|---|---|
{reasons}
Reasons follow from the set of the records.
`over-power` and `no-tariff` need the session's terms besides, and `changed-after-invoice` what was
billed; they are asked for where nothing else holds it, and hold a session that its records alone would
complete.
The terms (tariff, time zone, rated power) are chosen when the records complete it for the first time,
and stay: a register or a tariff that changes later changes no session.
Every reason can be settled by a decision.

## Energy

A reading states the energy of its session so far (`energy_kwh`), or what the meter's register shows
(`meter_kwh`), which counts from the first register that is known, the *base*.
A stated energy is believed; whether the connector can have delivered it, `over-power` judges.
Registers are not always what they should be, and `{leap}` (default {leap_kwh} kWh) tells
which of these they are:

* **Leap**: a register that is further than that above the energy so far. 100, then 450, then 500 kWh is
  a session of 400 kWh, or of 50 that was first told by another register: nobody knows, so it is held
  as `energy-leaped`, and shows the 400 kWh that its end states.
* **Placeholder**: a device that cannot read its meter says 0. Where all registers were 0 until one
  leaps, nothing was read before it, and it becomes the base: 0, then 909.948, then 910.031 kWh is a
  session of 0.083 kWh, and is not held. If no register follows, its energy is not known (`no-energy`).
  Any other first register was read from a meter, however small it is.
* **Another register**: a reading that leaps and states its energy, too, tells what its register is
  worth. Counting goes on from there, and nothing is held.
* **Session-relative register**: one that counts this session only. It is known by its size: below
  {leap_kwh} kWh, where one from there on, the meter's *lifetime* count, came before, and no energy was
  counted yet. It is the energy itself: 4076, then 0.104, 0.228, 0.353 kWh is a session of 0.353 kWh. Of
  an end it is only believed if a reading before it was one.
* **Decrease**: any other register or energy below what was counted. It is left out, and the session is
  held as `energy-decreased`: a meter was reset, or two of them report.

An end or a correction that states its energy settles a leap. A correction settles a decrease, too.

## The deadline

{days} days (`{memory}`) after the ingest of the record that closed a session, or of
what led to its last bill later, it is forgotten: what arrives for it from then on is a dead letter
`too-late`.
About a day later its row is replaced by a marker of its id, and its records and its place in the index
are deleted.
A held session waits for its decision, however long that takes, and one that never ended is never
forgotten.
Time is that of the log, so a replay forgets the same.
`sealed-sessions` and `invoices` keep what was billed.
"""


def text() -> str:
    """Return ``sessions.md``."""
    return _PAGE.format(
        diagram="".join(f"    {line}\n" for line in _arrows()),
        when="".join(f"* `{state.value}`: {when}.\n" for state, when in WHEN.items()),
        billable=BILLABLE,
        cells=_cells(),
        reasons="".join(map(_reason, HeldReason)),
        leap=_variable("max_leap_kwh"),
        leap_kwh=Settings().max_leap_kwh,
        days=Settings().session_memory_days,
        memory=_variable("session_memory_days"),
    )


def _arrows() -> list[str]:
    labels: dict[tuple[State, State], list[str]] = {}
    for before in STATES:
        for event, cell in TABLE[before].items():
            for after in cell.into:
                if after is not before:
                    labels.setdefault((before, after), []).append(event.value)
    return [
        f"{_name(before)} --> {_name(after)}: {', '.join(events)}"
        for (before, after), events in labels.items()
    ]


def _name(state: State) -> str:
    return "[*]" if state is UNKNOWN else state.value


def _cells() -> str:
    head = "".join(f" {state.value} |" for state in STATES)
    rows = "".join(
        f"| {event.value} |" + "".join(f" {_cell(s, TABLE[s][event])} |" for s in STATES) + "\n"
        for event in Event
    )
    return f"| |{head}\n|---|{'---|' * len(STATES)}\n{rows}"


def _cell(state: State, cell: Cell) -> str:
    if cell.refusal is not Refusal.NONE:
        return cell.refusal.value
    if cell.into == (state,):
        return "stays"
    return " or ".join("stays" if each is state else each.value for each in cell.into)


def _reason(reason: HeldReason) -> str:
    explained = EXPLAINED[reason]
    thresholds = ", ".join(f"`{_variable(name)}`" for name in explained.thresholds)
    if explained.basis is not Basis.RECORDS:
        thresholds = ", ".join(filter(None, [thresholds, f"the {explained.basis.value}"]))
    vanishes = explained.vanishes or "a decision only"
    depends = thresholds or "the records alone"
    return f"| `{reason.value}` | {explained.means} | {depends} | {vanishes} |\n"


def _variable(name: str) -> str:
    assert name in {field.name for field in fields(Settings)}, name
    return PREFIX + name.upper()
