"""The one function that prices a session."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from evcharge.domain.pricing.bill import bill
from evcharge.domain.pricing.cost import Cost
from evcharge.domain.pricing.course import Course, course_of
from evcharge.domain.pricing.plan import Plan
from evcharge.domain.pricing.steps import billed
from evcharge.domain.pricing.usage import Usage
from evcharge.domain.pricing.walk import walk


def price(plan: Plan, usage: Usage) -> Cost:
    """Return what a session costs if it ends with its last segment: running cost and bill alike.

    The tariff prices all of it, whenever it is valid: which tariff counts was decided at the start.
    Equal arguments give equal costs, and so does the same usage cut into other segments.
    """
    return price_of(plan, course_of(plan, usage), usage.zone)


def price_of(plan: Plan, course: Course, zone: ZoneInfo) -> Cost:
    """Return what a session of this course costs."""
    ended = course.instants[-1]
    return bill(plan, billed(plan, walk(plan, course, zone)), ended.numerator // ended.denominator)
