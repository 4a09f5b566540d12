"""From the bytes of a record to one validated JSON object, or the reason why not."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from evcharge.events.rejection import Reason, RefusedError, reject, shown

M = TypeVar("M", bound=BaseModel)

_BOM = b"\xef\xbb\xbf"
_SUBJECT = re.compile(r"^(?:Input|String|Value error,|Object|List) ?")
_ENUM_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")


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
    """Return why a model did not accept an object: the first of the problems, in the model's order."""
    first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(step) for step in first["loc"])
    offender = _at(first, members)
    if first["type"] == "missing":
        return RefusedError(reject(Reason.MISSING_FIELD, f"{path} is missing."))
    # No optional field refuses null.
    if offender is None:
        return RefusedError(reject(Reason.MISSING_FIELD, f"{path} is null but required."))
    rule = _ENUM_MEMBER.sub(r"\1", _SUBJECT.sub("", first["msg"]))
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


def _at(problem: ErrorDetails, members: Mapping[str, Any]) -> Any:
    found: Any = members
    for step in problem["loc"]:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return None
    return found


def _not_json(value: bytes, problem: ValueError) -> str:
    if value.startswith(_BOM):
        return "The value starts with a byte order mark, which JSON does not have."
    if not value.strip():
        return "The value is empty."
    return f"The value is not JSON in UTF-8: {problem}."
