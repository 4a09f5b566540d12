"""The page that compares a real operator's bills with what its price policy comes to here."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from evcharge.domain.pricing import Plan, session_cost
from evcharge.domain.quantities import SECOND_US
from evcharge.domain.session import Limits, fold
from evcharge.domain.session.order import distinct, in_order
from evcharge.domain.session_record import SessionRecord
from evcharge.events.decode import decode_charging_sessions
from evcharge.events.rejection import Rejected
from evcharge.events.tariffs import parse_tariff
from evcharge.replay.closed_sessions import read
from evcharge.replay.device_events import in_time_order, survey

EXAMPLE = Path(__file__).parents[2] / "examples" / "workplace"
SESSIONS = EXAMPLE / "sessions.csv"
TARIFFS = ("tariff", "tariff-steps-up", "tariff-min-price")
"""The operator's policy in OCPI: as it was billed, with OCPI's own steps, and as it reads at first."""

ZONE = ZoneInfo("America/New_York")
FREE_S = 4 * 3_600
STEP_S = 300
LEAST_S = 1_800
"""The time that the least amount of 0.50 USD pays for."""
STEPS_AN_HOUR = 12
SECONDS_S = 90


class Compared(NamedTuple):
    """One session, as it was billed and as it is priced."""

    lasted_s: int
    billed: int
    """Cents, in the data."""
    priced: dict[str, int]
    """Cents, by tariff."""


class Difference(Enum):
    """What a bill is for that is another one: which time, beside that in the data."""

    SECONDS_LESS = "seconds less"
    THE_STEP_THAT_HAD_BEGUN = "the step that had begun"
    MORE = "more than that step"
    LESS = "less by minutes"


class _Place(NamedTuple):
    """A record that replay published, as if Kafka had it."""

    value: bytes
    timestamp: int
    partition: int
    offset: int


def compared() -> list[Compared]:
    """Return all sessions, priced as the lane prices what `replay` publishes of them."""
    records: dict[tuple[str, str], list[SessionRecord]] = defaultdict(list)
    for event in in_time_order(lambda: read(SESSIONS), survey(read(SESSIONS))):
        if event.topic == "charging-sessions":
            place = _Place(event.value, event.at_us // 1_000, 0, 0)
            (record,) = decode_charging_sessions([place], max_bytes=1_000_000)
            assert not isinstance(record, Rejected), record
            records[record.station_id, record.session_id].append(record)
    plans = {name: _plan(name) for name in TARIFFS}
    billed = _billed()
    return [_priced(found, billed[session], plans) for session, found in records.items()]


def _billed() -> dict[tuple[str, str], int]:
    with SESSIONS.open(encoding="utf-8", newline="") as file:
        return {
            (row["station_id"], row["session_id"]): int(Decimal(row["billed_usd"]) * 100)
            for row in csv.DictReader(file)
        }


def _plan(name: str) -> Plan:
    tariff = parse_tariff((EXAMPLE / f"{name}.json").read_bytes())
    assert not isinstance(tariff, Rejected), tariff
    return Plan(tariff.tariff)


def _priced(records: list[SessionRecord], billed: int, plans: dict[str, Plan]) -> Compared:
    limits = Limits()
    state = fold(records, limits)
    ordered = in_order(distinct(records).values())
    costs = {name: session_cost(plan, state, ordered, ZONE, limits) for name, plan in plans.items()}
    assert state.duration_us is not None, "a closed session"
    return Compared(
        state.duration_us // SECOND_US,
        billed,
        {name: cost.incl_vat for name, cost in costs.items() if cost is not None},
    )


def difference(session: Compared) -> tuple[Difference, int]:
    """Return why a session's bill is another one, and by how many seconds the times differ at least."""
    beyond_s = session.lasted_s - FREE_S
    # An amount is that of all times from its own number of steps until the next.
    billed_s = round(session.billed * STEPS_AN_HOUR / 100) * STEP_S
    if billed_s > beyond_s:
        more_s = billed_s - beyond_s
        is_begun = more_s <= STEP_S
        return (Difference.THE_STEP_THAT_HAD_BEGUN if is_begun else Difference.MORE), more_s
    less_s = beyond_s - billed_s - STEP_S + 1
    return (Difference.SECONDS_LESS if less_s <= SECONDS_S else Difference.LESS), less_s


def text() -> str:
    """Return ``workplace.md``."""
    sessions = compared()
    free = sum(session.lasted_s <= FREE_S for session in sessions)
    paid = len(sessions) - free
    agree = {name: sum(each.priced[name] == each.billed for each in sessions) for name in TARIFFS}
    others = [each for each in sessions if each.priced["tariff"] != each.billed]
    return _PAGE.format(
        sessions=f"{len(sessions):,}",
        free=f"{free:,}",
        free_billed=sum(each.billed > 0 for each in sessions if each.lasted_s <= FREE_S),
        paid=paid,
        least=sum(each.priced["tariff"] == 50 for each in sessions),
        paid_agree=agree["tariff"] - free,
        others=len(others),
        steps_up_wrong=sum(
            each.priced["tariff"] == each.billed < each.priced["tariff-steps-up"]
            for each in sessions
        ),
        steps_up_of_others=sum(each.priced["tariff-steps-up"] == each.billed for each in others),
        classes="".join(_classes(others)),
        total_billed=_usd(sum(each.billed for each in sessions)),
        total_priced=_usd(sum(each.priced["tariff"] for each in sessions)),
        **{
            f"agree_{name.replace('-', '_')}": f"{count:,} ({count / len(sessions):.1%})"
            for name, count in agree.items()
        },
    )


def _classes(others: list[Compared]) -> Iterator[str]:
    found = [(*difference(each), each) for each in others]
    counts = Counter(kind for kind, _, _ in found)
    for kind in Difference:
        seconds = [by_s for each, by_s, _ in found if each is kind]
        cents = sum(
            session.billed - session.priced["tariff"] for k, _, session in found if k is kind
        )
        yield (
            f"| {kind.value} | {counts[kind]} | {min(seconds):,} to {max(seconds):,} s"
            f" | {_usd(cents)} |\n"
        )


def _usd(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


_PAGE = """\
# A real price policy

The [workplace sessions](../examples/workplace/README.md) are {sessions} real ones, with what the
operator billed for each (`billed_usd`). Its policy was: **free for four hours, then 1.00 USD an hour in
steps of 5 minutes, at least 0.50 USD.** Here the same sessions are priced by the function that every
invoice comes from, from the records that `replay` publishes of them.

Generated from `examples/workplace` by `make docs`; `tests/test_workplace.py` recomputes its figures.

## The policy as an OCPI tariff

| tariff | agrees to the cent |
|---|---|
| [`tariff.json`](../examples/workplace/tariff.json): as it was billed, for full steps | {agree_tariff} |
| [`tariff-steps-up.json`](../examples/workplace/tariff-steps-up.json): for steps that have begun, as \
OCPI counts them | {agree_tariff_steps_up} |
| [`tariff-min-price.json`](../examples/workplace/tariff-min-price.json): as it reads at first, with \
`min_price` | {agree_tariff_min_price} |

* **Free for four hours**: `min_duration` of 14,400 s. It counts from the start of the session, and a
  session of exactly four hours is free.
* **At least 0.50 USD** is not `min_price`: that holds for every session, and the {free} that lasted no
  longer than four hours would cost 0.50 USD, too. Only who stays longer pays it, so it is a FLAT price
  from four hours on. It pays for the first half hour, and the price by the hour begins behind that: the
  two lines of such a bill add up to what the policy says.
* **Steps**: the operator bills full steps. OCPI's `step_size` rounds up, and cannot be asked to round
  down. But rounding down to 5 minutes is rounding up what begins 299 s later, as long as times are
  whole seconds: so `min_duration` of TIME is 14,400 + 1,800 + 299 = 16,499 s.

What cannot be expressed is rounding down itself. A session that ends a fraction of a second before a
full step pays for that step; and whoever reads the tariff has to be told why the number is so odd
(`tariff_alt_text` does).

## Where the bills differ

{free} sessions lasted four hours or less: {free_billed} of them were billed, and all are free here.
Of the {paid} others {paid_agree} agree to the cent; {least} cost the least amount.
All sessions together were billed {total_billed} USD and cost {total_priced} USD here.

No rounding of money explains any of the {others} that differ: each is billed for another time than the
data have. An amount tells its time but for a step, so this is how far the two are apart at least:

| in the bill | sessions | apart at least | billed more by, USD |
|---|---|---|---|
{classes}
* **Seconds less**: the time in the data is past a full step by seconds. What the operator billed began
  later than plug-in, or ended before plug-out.
* **The step that had begun**: {steps_up_of_others} of these agree with steps that round up. But such
  steps bill {steps_up_wrong} others too high, so this is no rule.
* **More, and less by minutes**: the bill is for another time altogether; once for 50 minutes
  of a car that stood for 55 hours. Nothing in the data says why: no other session of the driver on that
  day adds up to it. Such a bill is for a person to look at, who can `correct` or `void` the session.
"""
