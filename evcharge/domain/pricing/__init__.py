"""What a session costs: one pure function for the running cost, the bill, a quote and a re-rating.

``price(Plan(tariff), usage)``; a ``Plan`` is the tariff made ready, and is kept for the next session.

* ``usage.py``: what is priced, consecutive segments; ``session_usage.py``: how records become
  these; ``session_cost.py``: the same cost without making them, for every finished session.
* ``plan.py``: a tariff in integers and bit masks; ``bands.py``: which elements hold at which value.
* ``clock.py``: offsets of a time zone; ``calendar.py``: which elements hold from which instant on.
* ``course.py``: a session in columns; ``walk.py``: how much of which price component it uses;
  ``throughout.py``: the same where nothing changes; ``steps.py``: rounded up to its step.
* ``bound.py``: how long a session can be for its price to be computed.
* ``bill.py``: lines, VAT, minimum and maximum price; ``cost.py``: the answer; ``cost_json.py``: its
  form in the contract.

Everything is exact: integers of microseconds, micro-watt-hours, milliwatts and microamperes, and
fractions of them where a segment is cut. Nothing is rounded but the totals, at the end, half up to the
currency's minor unit.
"""

from evcharge.domain.pricing.bound import MAX_CHANGES, NEVER_MORE_US, changes_in
from evcharge.domain.pricing.cost import Cost, Line, VatRow
from evcharge.domain.pricing.cost_json import cost_json
from evcharge.domain.pricing.plan import Plan
from evcharge.domain.pricing.price import price
from evcharge.domain.pricing.session_cost import priced_session, session_cost
from evcharge.domain.pricing.session_usage import session_usage
from evcharge.domain.pricing.usage import Exact, PlainSegment, Segment, SegmentKind, Usage

__all__ = [
    "MAX_CHANGES",
    "NEVER_MORE_US",
    "Cost",
    "Exact",
    "Line",
    "PlainSegment",
    "Plan",
    "Segment",
    "SegmentKind",
    "Usage",
    "VatRow",
    "changes_in",
    "cost_json",
    "price",
    "priced_session",
    "session_cost",
    "session_usage",
]
