"""From the bytes of a record to one validated JSON object, or the reason why not."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from evcharge.domain.quantities import TimestampError
from evcharge.events.rejection import Reason, RefusedError, reject, shown

M = TypeVar("M", bound=BaseModel)

_BOM = b"\xef\xbb\xbf"
_SUBJECT = re.compile(r"^(?:Input|String|Value error,|Object|List) ?")
_AFTERTHOUGHT = " after validation"
_ENUM_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")


class FieldError(ValueError):
    """A rule over several fields is broken: raised by the validator of the object that has them."""

    def __init__(self, field: str, rule: str) -> None:
        """``field`` is the path of the wrong one from that object on, ``rule`` what it should be."""
        super().__init__(f"{field} {rule}")
        self.field = field
        self.rule = rule


def json_object(value: bytes) -> dict[str, Any]:
    """Return the members of the one JSON object that the bytes are; of equal names the last counts.

    Raises:
        RefusedError: `NOT_JSON` or `NOT_AN_OBJECT`.
    """
    try:
        found = from_json(value, allow_inf_nan=False)
    except ValueError as problem:
        raise RefusedError(reject(Reason.NOT_JSON, _not_json(value, problem))) from None
    if not isinstance(found, dict):
        detail = f"The value is {shown(found)}, not a JSON object."
        raise RefusedError(reject(Reason.NOT_AN_OBJECT, detail))
    return found


def refusal(problem: ValidationError, members: Mapping[str, Any]) -> RefusedError:
    """Return why a model did not accept an object: the first of the problems, in the model's order.

    The sentence begins with the path of the wrong field, from the object on.
    """
    first = problem.errors(include_url=False, include_input=False)[0]
    cause = first.get("ctx", {}).get("error")
    steps = list(map(str, first["loc"]))
    if isinstance(cause, FieldError):
        steps += cause.field.split(".")
    path, offender = ".".join(steps), _at(steps, members)
    if isinstance(cause, FieldError):
        found = "" if isinstance(offender, list | dict | None) else f", but it is {shown(offender)}"
        return RefusedError(reject(Reason.BAD_VALUE, f"{path} {cause.rule}{found}."))
    if isinstance(cause, TimestampError):
        return RefusedError(reject(Reason.BAD_VALUE, f"{path} is {shown(offender)}: {cause}."))
    if first["type"] == "missing":
        return RefusedError(reject(Reason.MISSING_FIELD, f"{path} is missing."))
    # No optional field refuses null.
    if offender is None:
        return RefusedError(reject(Reason.MISSING_FIELD, f"{path} is null but required."))
    rule = _ENUM_MEMBER.sub(r"\1", _SUBJECT.sub("", first["msg"]).replace(_AFTERTHOUGHT, ""))
    # What is in an array or object would not fit; what else it is instead of one does.
    found = (
        f", but it is {shown(offender)}"
        if not isinstance(offender, list | dict) or first["type"].endswith("_type")
        else ""
    )
    return RefusedError(reject(Reason.BAD_VALUE, f"{path} {rule}{found}.".lstrip()))


def validated(value: bytes, model: type[M]) -> M:
    """Return what a model makes of bytes.

    Raises:
        RefusedError: the bytes are no JSON object, or the model does not accept it.
    """
    members = json_object(value)
    try:
        return model.model_validate_json(value)
    except ValidationError as problem:
        raise refusal(problem, members) from None


def _at(steps: Sequence[str], members: Mapping[str, Any]) -> Any:
    found: Any = members
    for step in steps:
        try:
            found = found[int(step) if isinstance(found, list) else step]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return found


def _not_json(value: bytes, problem: ValueError) -> str:
    if value.startswith(_BOM):
        return "The value starts with a byte order mark, which JSON does not have."
    if not value.strip():
        return "The value is empty."
    return f"The value is not JSON in UTF-8: {problem}."
