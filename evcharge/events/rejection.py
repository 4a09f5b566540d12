"""Why a record was rejected: a value on its way to `dead-letters`, never an exception for a caller."""

import math
from enum import StrEnum
from typing import Any, NamedTuple

MAX_DETAIL = 300
_MAX_SHOWN = 48


class Reason(StrEnum):
    """The fixed list: header ``reason`` of a dead letter, and a label of the metrics."""

    NO_VALUE = "no-value"
    """The record has no value (a tombstone), which means nothing in a device topic."""
    TOO_LARGE = "too-large"
    """More bytes than a record of its topic can have; of a device's, ``EVCHARGE_MAX_RECORD_BYTES``."""
    NOT_JSON = "not-json"
    """Not one JSON text in UTF-8: also NaN, Infinity, half a surrogate pair, a byte order mark,
    nesting deeper than 200 levels and integers of more than 4300 digits."""
    NOT_AN_OBJECT = "not-an-object"
    """JSON, but an array, a text, a number, true, false or null."""
    MISSING_FIELD = "missing-field"
    """A required field is absent or null."""
    BAD_VALUE = "bad-value"
    """A field has a value of the wrong kind or outside its limits."""
    TIMESTAMP_WITHOUT_ZONE = "timestamp-without-zone"
    """A date and time that name no offset, so no instant."""
    TIMESTAMP_IN_FUTURE = "timestamp-in-future"
    """More than 24 h ahead of the record's ingest time."""
    TOO_LATE = "too-late"
    """Its session was replaced by a marker 100 days after it was closed."""
    WRONG_PARTITION = "wrong-partition"
    """A record of evcharge's own, in a partition that its station does not belong to."""
    DECISION_REFUSED = "decision-refused"
    """A decision about a session that cannot be carried out, or that did not know of another one."""
    RULE_FAILED = "rule-failed"
    """A rule of evcharge raised: a bug of ours."""


class Rejected(NamedTuple):
    """What a decoder returns in place of a record that it cannot accept."""

    reason: Reason
    detail: str
    """One sentence for a person, at most 300 characters, that names the field."""


class RefusedError(Exception):
    """Carries a :class:`Rejected` out of a decoder's depth; never leaves ``evcharge.events``."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.detail)
        self.rejected = rejected


def reject(reason: Reason, detail: str) -> Rejected:
    """Return a rejection whose detail is cut to its limit."""
    return Rejected(reason, detail if len(detail) <= MAX_DETAIL else detail[: MAX_DETAIL - 1] + "…")


def shown(value: Any) -> str:
    """Return a decoded JSON value as a short piece of a sentence, free of control characters."""
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return ascii(value if len(value) <= _MAX_SHOWN else value[:_MAX_SHOWN] + "...")
        case int() if value.bit_length() > 128:
            return "a huge integer"  # of up to 4300 digits
        case float() if math.isinf(value):
            return "a huge number"
        case int() | float():
            return repr(value)
        case list():
            return "an array"
    return "an object"
