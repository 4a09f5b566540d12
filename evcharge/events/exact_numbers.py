"""Numbers of money: a JSON number or a decimal string, read exactly from its text, never as a float."""

import json
import re
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from evcharge.events.objects import json_object, refusal

M = TypeVar("M", bound=BaseModel)

MAX_NUMBER = 10**12
"""Of any unit: more than is ever charged, driven or counted."""

MAX_DECIMALS = 30

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_OF_SIZE = f"should be 0 or between 1e-{MAX_DECIMALS} and {MAX_NUMBER:,}"
_MAX_TEXT = 100
"""Characters of a number: all that its limits leave room for, twice."""


class _JsonNumber(NamedTuple):
    """A JSON number that nobody has read yet: of an absurd one, even reading would fail."""

    text: str


def _exact(value: object) -> Decimal:
    text = value.text if isinstance(value, _JsonNumber) else value
    if isinstance(text, str) and len(text) > _MAX_TEXT:
        raise ValueError(f"should be a number of at most {_MAX_TEXT} characters")
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        # A number of JSON is one, but for an exponent of very many digits.
        is_number = isinstance(value, _JsonNumber)
        raise ValueError(_OF_SIZE if is_number else "should be a number or the text of one")
    number = Decimal(text)
    # Before anything is computed: 1e-999 has few characters and very many digits.
    if not number:
        return Decimal(0)
    if not -MAX_DECIMALS <= number.adjusted() <= _MAX_TEXT:
        raise ValueError(_OF_SIZE)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MAX_DECIMALS:
        raise ValueError(f"should have at most {MAX_DECIMALS} decimals")
    return number


def _whole(value: Decimal) -> Decimal:
    if value != value.to_integral_value():
        raise ValueError("should be a whole number")
    return value


# The limits come first, so that they are the decimal's own and stand in the JSON Schema.
Number = Annotated[
    Decimal, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False), BeforeValidator(_exact)
]
"""From -1,000,000,000,000 to 1,000,000,000,000 with at most 30 decimals."""

Amount = Annotated[
    Decimal, Field(ge=0, le=MAX_NUMBER, allow_inf_nan=False), BeforeValidator(_exact)
]
"""A number that is not negative."""

Percentage = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False), BeforeValidator(_exact)]

Count = Annotated[Amount, AfterValidator(_whole)]
"""A whole number, also written as 300.0."""


def exact_schema(kind: str, least: float, most: float) -> dict[str, Any]:
    """Return the JSON Schema of a `number` or an `integer` in limits, or of the text of one."""
    return {"anyOf": [{"type": kind, "minimum": least, "maximum": most}, {"type": "string"}]}


def validated_exactly(value: bytes, model: type[M]) -> M:
    """Return what a model makes of bytes, of whose numbers no digit is lost.

    Raises:
        RefusedError: the bytes are no JSON object, or the model does not accept it.
    """
    # Refuses what `json` would accept (NaN, half a surrogate pair) or fall over (endless nesting).
    members = json_object(value)
    exact: Any = json.loads(value, parse_float=_JsonNumber, parse_int=_JsonNumber)
    try:
        return model.model_validate(exact)
    except ValidationError as problem:
        raise refusal(problem, members) from None
