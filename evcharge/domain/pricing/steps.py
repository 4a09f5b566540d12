"""Rounding up to steps: once for energy, once for the time billed last, once for the reservation.

OCPI 2.2.1 with its errata: of TIME and PARKING_TIME only the one that was billed last is rounded, as a
total. The step of the last billed component counts, and what is added has its price.
"""

from __future__ import annotations

from evcharge.domain.pricing.plan import NOTHING, Plan
from evcharge.domain.pricing.usage import Exact
from evcharge.domain.pricing.walk import Used


def billed(plan: Plan, used: Used) -> dict[int, Exact]:
    """Return the quantities after steps, in the order of those before, in their place."""
    quantities, *lasts = used
    components = plan.components
    for last in lasts:
        if last == NOTHING:
            continue
        total = quantities[last]
        line, _, _, _, _, step, _, _ = components[last]
        if len(quantities) > 1:
            for number, quantity in quantities.items():
                if number != last and components[number].line == line:
                    total += quantity
        if missing := -total % step:
            quantities[last] += missing
    return quantities
