"""The event of the topic `tariffs`: one version of an OCPI 2.2.1 Tariff.

Everything that decides about money is validated here, so that no session meets a tariff that cannot be
computed. Where OCPI leaves a meaning open (a time of day from 10:00 until 10:00, two prices of one
dimension in one element), the tariff is refused rather than guessed. Unknown fields are ignored.
"""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple, Self

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from evcharge.domain.quantities import KW, KWH, MICRO, SECOND_US
from evcharge.domain.tariff import DAY_S, MINOR_UNITS
from evcharge.domain.tariff import restrictions as rules
from evcharge.domain.tariff import tariff as values
from evcharge.events.exact_numbers import Amount, Count, Number, Percentage, validated_exactly
from evcharge.events.fields import MAX_TIMESTAMP, STRICT, Id
from evcharge.events.objects import FieldError
from evcharge.events.rejection import Reason, RefusedError, Rejected, reject
from evcharge.events.tariff_times import instant_or_utc

MAX_BYTES = 500_000
"""Of a tariff without white space: a thousand elements have fewer, unless each uses all of OCPI.

It goes whole into each record of `sealed-sessions` and each re-rating, so what a record of Kafka can
hold has to leave room for it."""

_DIMENSIONS = Literal["FLAT", "ENERGY", "TIME", "PARKING_TIME"]
_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_DAY_NAMES = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
_EPOCH = date(1970, 1, 1).toordinal()


def _known_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError("should be the code of a currency of ISO 4217 such as EUR")
    return code


def _of_the_calendar(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("should be a date of the calendar such as 2015-12-24") from None
    return text


def _instant(text: str) -> str:
    instant_or_utc(text)
    return text


def _not_included(value: object) -> object:
    if value == "YES":
        raise ValueError("should be NO: prices that include taxes are not supported")
    return value


TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["13:30"])]
Day = Annotated[
    str,
    Field(pattern=r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$", examples=["2015-12-24"]),
    AfterValidator(_of_the_calendar),
]
Moment = Annotated[
    str,
    Field(
        max_length=MAX_TIMESTAMP,
        description="RFC 3339; as OCPI has it, without an offset it is in UTC.",
        examples=["2015-06-29T20:39:09Z"],
    ),
    AfterValidator(_instant),
]


class PriceComponent(BaseModel, frozen=True):
    """OCPI `PriceComponent`."""

    model_config = STRICT

    type: _DIMENSIONS
    price: Amount
    """For each kWh, hour or session, without VAT."""
    vat: Percentage | None = None
    """Percent. Absent: no VAT."""
    step_size: Count | None = None
    """In Wh or seconds. Absent or 0: 1."""

    def component(self) -> values.Component:
        """Return the component as the rules know it."""
        step_size = max(int(self.step_size or 1), 1)
        return values.Component(values.Dimension(self.type), self.price, self.vat, step_size)


class TariffRestrictions(BaseModel, frozen=True):
    """OCPI `TariffRestrictions`: lower bounds are inclusive, upper bounds exclusive."""

    model_config = STRICT

    start_time: TimeOfDay | None = None
    """Local to the station. Later than `end_time`: the time wraps midnight."""
    end_time: TimeOfDay | None = None
    """00:00 is the end of the day."""
    start_date: Day | None = None
    end_date: Day | None = None
    """The day behind the last one."""
    min_kwh: Amount | None = None
    max_kwh: Amount | None = None
    min_current: Number | None = None
    """Amperes over all phases. Fails where the current is unknown."""
    max_current: Number | None = None
    min_power: Number | None = None
    """Kilowatts. Fails where the power is unknown."""
    max_power: Number | None = None
    min_duration: Amount | None = None
    """Seconds since the start of the session, behind its reservation."""
    max_duration: Amount | None = None
    day_of_week: list[_DAY_NAMES] | None = None
    reservation: Literal["RESERVATION", "RESERVATION_EXPIRES"] | None = None

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.start_time == self.end_time != "00:00" and self.start_time is not None:
            raise FieldError("end_time", "should differ from start_time, unless both are 00:00")
        return self

    def restrictions(self) -> rules.Restrictions:
        """Return them as the rules know them."""
        return rules.Restrictions(
            None if self.start_time is None else _seconds(self.start_time),
            None if self.end_time is None else _seconds(self.end_time) or DAY_S,
            None if self.start_date is None else _day(self.start_date),
            None if self.end_date is None else _day(self.end_date),
            (_units(self.min_kwh, KWH), _units(self.max_kwh, KWH)),
            (_units(self.min_current, MICRO), _units(self.max_current, MICRO)),
            (_units(self.min_power, KW), _units(self.max_power, KW)),
            (_units(self.min_duration, SECOND_US), _units(self.max_duration, SECOND_US)),
            frozenset(_WEEKDAYS.index(name) for name in self.day_of_week or ()),
            None if self.reservation is None else rules.Reservation(self.reservation),
        )


class TariffElement(BaseModel, frozen=True):
    """OCPI `TariffElement`."""

    model_config = STRICT

    price_components: Annotated[list[PriceComponent], Field(min_length=1)]
    """At most one of each type; of a reservation FLAT and TIME only."""
    restrictions: TariffRestrictions | None = None

    @model_validator(mode="after")
    def _is_clear(self) -> Self:
        types = [component.type for component in self.price_components]
        if len(set(types)) < len(types):
            raise FieldError("price_components", "should have at most one price of each type")
        reserved = self.restrictions is not None and self.restrictions.reservation is not None
        if reserved and not {"FLAT", "TIME"}.issuperset(types):
            raise FieldError("price_components", "should be of type FLAT or TIME in a reservation")
        return self

    def element(self) -> values.Element:
        """Return the element as the rules know it."""
        restrictions = (
            self.restrictions.restrictions() if self.restrictions else rules.Restrictions()
        )
        return values.Element(
            tuple(component.component() for component in self.price_components), restrictions
        )


class Price(BaseModel, frozen=True):
    """OCPI `Price`, as a bound of the session's total."""

    model_config = STRICT

    excl_vat: Amount
    incl_vat: Amount | None = None
    """Not below `excl_vat`. Absent: what `excl_vat` comes to at the session's own mean rate."""

    @model_validator(mode="after")
    def _includes_vat(self) -> Self:
        if self.incl_vat is not None and self.incl_vat < self.excl_vat:
            raise FieldError("incl_vat", "should not be below excl_vat: VAT comes on top of it")
        return self


class TariffObject(BaseModel, frozen=True):
    """An OCPI 2.2.1 Tariff, as far as it decides about money.

    It has at most 500,000 bytes without white space.
    """

    model_config = STRICT

    id: Id
    """The tariff_id of the register."""
    currency: Annotated[str, Field(examples=["EUR"]), AfterValidator(_known_currency)]
    """ISO 4217."""
    last_updated: Moment
    """The version. RFC 3339; as OCPI has it, without an offset it is in UTC."""
    elements: Annotated[list[TariffElement], Field(min_length=1, max_length=1000)]
    """In each dimension the first one counts that has a price for it and holds at the moment."""
    min_price: Price | None = None
    max_price: Price | None = None
    start_date_time: Moment | None = None
    """Sessions that start before are not priced with this tariff."""
    end_date_time: Moment | None = None
    """Nor those that start then or later."""
    tax_included: Annotated[Literal["NO", "N/A"], BeforeValidator(_not_included)] | None = None
    """Of OCPI 2.3: prices here are always without taxes."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        low, high = self.min_price, self.max_price
        if low is not None and high is not None:
            if low.excl_vat > high.excl_vat:
                raise FieldError("max_price.excl_vat", "should not be below that of min_price")
            if (
                low.incl_vat is not None
                and high.incl_vat is not None
                and low.incl_vat > high.incl_vat
            ):
                raise FieldError("max_price.incl_vat", "should not be below that of min_price")
        return self

    def tariff(self) -> values.Tariff:
        """Return the tariff as the rules know it."""
        return values.Tariff(
            self.id,
            self.currency,
            tuple(element.element() for element in self.elements),
            instant_or_utc(self.last_updated),
            _bound(self.min_price),
            _bound(self.max_price),
            None if self.start_date_time is None else instant_or_utc(self.start_date_time),
            None if self.end_date_time is None else instant_or_utc(self.end_date_time),
        )


class TariffDocument(NamedTuple):
    """One version of a tariff."""

    tariff: values.Tariff
    document: bytes
    """The JSON text as received."""


def parse_tariff(value: bytes) -> TariffDocument | Rejected:
    """Return the version that a record of `tariffs` states, or why it cannot be used. Never raises.

    A record without a value says nothing about a tariff; that is for the caller to see.
    """
    try:
        tariff = validated_exactly(value, TariffObject).tariff()
    except RefusedError as refused:
        return refused.rejected
    return too_large(value) or TariffDocument(tariff, value)


def too_large(document: bytes) -> Rejected | None:
    """Return why a tariff cannot be used that is valid, if that is its size."""
    if len(document) <= MAX_BYTES:
        return None
    size = len(msgspec.json.format(document, indent=-1))
    if size <= MAX_BYTES:
        return None
    detail = f"The tariff has {size:,} bytes without white space, more than {MAX_BYTES:,}."
    return reject(Reason.TOO_LARGE, detail)


def _bound(price: Price | None) -> values.Bound | None:
    return None if price is None else values.Bound(price.excl_vat, price.incl_vat)


def _seconds(time_of_day: str) -> int:
    return int(time_of_day[:2]) * 3_600 + int(time_of_day[3:]) * 60


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - _EPOCH


def _units(number: Decimal | None, scale: int) -> Fraction | None:
    return None if number is None else Fraction(number) * scale


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a tariff."""
    return TariffObject.model_json_schema()
