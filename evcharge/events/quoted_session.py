"""The session of `price`: segments that somebody states."""

from fractions import Fraction
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, model_validator

from evcharge.domain.pricing import Exact, Segment, SegmentKind, Usage
from evcharge.domain.quantities import KW, KWH, MICRO, SECOND_US, parse_timestamp
from evcharge.events.exact_numbers import Amount, Number, validated_exactly
from evcharge.events.fields import MAX_TIMESTAMP, STRICT
from evcharge.events.objects import FieldError
from evcharge.events.rejection import RefusedError, Rejected
from evcharge.events.stations import Zone

_EARLIEST_US = parse_timestamp("1900-01-01T00:00:00Z")
_LATEST_US = parse_timestamp("2500-01-01T00:00:00Z")
_LONGEST_S = 10 * 366 * 86_400


def _instant(text: str) -> str:
    parse_timestamp(text)
    return text


class QuotedSegment(BaseModel, frozen=True):
    """A stretch of the session with one power and one current; its energy is linear."""

    model_config = STRICT

    kind: Literal["TIME", "PARKING_TIME", "RESERVATION", "RESERVATION_EXPIRED"]
    duration_s: Amount
    energy_kwh: Amount | None = None
    """Absent: none that is known of."""
    power_kw: Number | None = None
    """Absent: unknown. Negative where the car feeds the grid."""
    current_a: Number | None = None
    """Absent: unknown."""

    def segment(self) -> Segment:
        """Return the segment as the rules know it."""
        return Segment(
            SegmentKind[self.kind],
            _units(self.duration_s, SECOND_US),
            0 if self.energy_kwh is None else _units(self.energy_kwh, KWH),
            None if self.power_kw is None else _units(self.power_kw, KW),
            None if self.current_a is None else _units(self.current_a, MICRO),
        )


class QuotedSession(BaseModel, frozen=True):
    """Consecutive segments, from `started_at` on."""

    model_config = STRICT

    started_at: Annotated[str, Field(max_length=MAX_TIMESTAMP), AfterValidator(_instant)]
    """Start of the first segment: RFC 3339 with an offset."""
    time_zone: Zone
    """IANA name, of the station."""
    segments: Annotated[list[QuotedSegment], Field(min_length=1)]
    """What is reserved comes first."""

    @model_validator(mode="after")
    def _is_a_session(self) -> Self:
        begun = False
        for place, segment in enumerate(self.segments):
            reserved = SegmentKind[segment.kind].is_reservation
            if reserved and begun:
                raise FieldError(f"segments.{place}.kind", "should not follow what is not reserved")
            if reserved and segment.energy_kwh:
                raise FieldError(f"segments.{place}.energy_kwh", "should be 0 in a reservation")
            begun = begun or not reserved
        if not _EARLIEST_US <= parse_timestamp(self.started_at) < _LATEST_US:
            raise FieldError("started_at", "should be in the years 1900 to 2499")
        # Local time is worked out day by day.
        if sum(segment.duration_s for segment in self.segments) > _LONGEST_S:
            raise FieldError("segments", "should last at most 10 years")
        return self

    def usage(self) -> Usage:
        """Return the session as the rules know it."""
        return Usage(
            parse_timestamp(self.started_at),
            ZoneInfo(self.time_zone),
            tuple(segment.segment() for segment in self.segments),
        )


def parse_quoted_session(value: bytes) -> Usage | Rejected:
    """Return the session that a JSON text states, or why it cannot be priced. Never raises."""
    try:
        return validated_exactly(value, QuotedSession).usage()
    except RefusedError as refused:
        return refused.rejected


def _units(number: Any, scale: int) -> Exact:
    units = Fraction(number) * scale
    return units.numerator if units.denominator == 1 else units
