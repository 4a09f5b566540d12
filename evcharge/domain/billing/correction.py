"""The segments of a session as a person corrected it: its course, with the given values."""

from __future__ import annotations

from evcharge.domain.billing.account import Facts
from evcharge.domain.pricing import Segment, SegmentKind, Usage
from evcharge.domain.pricing.usage import Exact


def corrected_usage(usage: Usage, facts: Facts) -> Usage:
    """Return a session's usage between other ends and with another energy.

    What lies outside the corrected time is cut off; time that was not known of is charging, with unknown
    power and without energy of its own. The corrected energy is spread as what was read of it was, or
    where nothing was, evenly over the time that is not parking; in whole micro-watt-hours.
    """
    assert facts.started_us is not None, "billable"
    assert facts.ended_us is not None, "billable"
    assert facts.energy_uwh is not None, "billable"
    segments = _between(usage, facts.started_us, facts.ended_us)
    return Usage(facts.started_us, usage.zone, tuple(_with_energy(segments, facts.energy_uwh)))


def _between(usage: Usage, started_us: int, ended_us: int) -> list[Segment]:
    """Return the segments from one instant to another, at least one."""
    at: Exact = usage.started_us
    segments: list[Segment] = []
    if started_us < at:
        segments.append(_unknown(min(at, ended_us) - started_us))
    for segment in usage.segments:
        begin, end = max(at, started_us), min(at + segment.duration_us, ended_us)
        inside = started_us <= at and at + segment.duration_us <= ended_us
        if inside:
            segments.append(segment)
        elif begin < end:
            energy = segment.energy_uwh * int(end - begin) // int(segment.duration_us)
            segments.append(segment._replace(duration_us=end - begin, energy_uwh=energy))
        at += segment.duration_us
    if ended_us > max(at, started_us):
        segments.append(_unknown(ended_us - max(at, started_us)))
    return segments or [_unknown(0)]


def _unknown(duration_us: Exact) -> Segment:
    return Segment(SegmentKind.TIME, duration_us)


def _with_energy(segments: list[Segment], energy_uwh: int) -> list[Segment]:
    weights = [int(segment.energy_uwh) for segment in segments]
    if not any(weights):
        weights = [
            0 if segment.kind is SegmentKind.PARKING_TIME else int(segment.duration_us)
            for segment in segments
        ]
    if not any(weights):
        weights = [int(segment.duration_us) for segment in segments]
    total = sum(weights)
    spread, passed, given = [], 0, 0
    for place, (segment, weight) in enumerate(zip(segments, weights, strict=True), 1):
        passed += weight
        # All of it where nothing took time: at its last instant.
        upto = energy_uwh * passed // total if total else energy_uwh * (place == len(segments))
        spread.append(segment._replace(energy_uwh=upto - given))
        given = upto
    return spread
