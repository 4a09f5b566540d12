"""Many records validated in one pass, which costs a fraction of one pass for each.

The values of some hundred records are joined to one JSON array. If all is well with each, that is all;
if not, they are cut in pieces until the records that are to blame stand alone and get their reason.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError

from evcharge.domain.quantities import DecimalFloat, InexactError
from evcharge.events.many import Many
from evcharge.events.objects import json_object, refusal
from evcharge.events.quick import LONGEST, QuickReader
from evcharge.events.received import Received
from evcharge.events.rejection import Reason, RefusedError, Rejected, reject

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=msgspec.Struct)
T = TypeVar("T")

_AT_ONCE = 500
"""Records. What is made of so few in one pass is still in the processor's cache in the next one."""

_PIECES = 8
_OPENING = {ord("{")}
_first_byte = itemgetter(0)


@dataclass(frozen=True, slots=True)
class ChunkDecoder(Generic[E, T]):
    """Decodes the records of one topic, whose events are flat JSON objects."""

    quick: QuickReader[E] | None
    """Reads most arrays of events before the models, which it never contradicts."""
    chunk: TypeAdapter[list[Any]]
    """Validates an array of events."""
    model_of: Callable[[Mapping[str, Any]], TypeAdapter[Any]]
    """The model that one object must follow; raises `RefusedError` if there is none."""
    shape: Callable[..., E]
    """Makes an event of the members that a model found valid."""
    convert: Callable[[E, Received], T]
    """What an event says; raises `RefusedError`, `InexactError` for numbers without text, or
    `DoubtError` if no model would accept it."""
    many: Many[E, T] | None = None
    """Does for many events what ``convert`` does for one."""

    def decode(self, records: Sequence[Received], max_bytes: int) -> list[T | Rejected]:
        """Return what each record says or why it was rejected, by its index. Never raises."""
        return self._in_pieces(records, _AT_ONCE, max_bytes)

    def _in_pieces(
        self, records: Sequence[Received], size: int, max_bytes: int
    ) -> list[T | Rejected]:
        outcomes: list[T | Rejected] = []
        for start in range(0, len(records), size):
            outcomes += self._together(records[start : start + size], max_bytes)
        return outcomes

    def _together(self, records: Sequence[Received], max_bytes: int) -> list[T | Rejected]:
        events = self._read(records, max_bytes)
        if events is not None:
            one_by_one = partial(self._converted, max_bytes)
            if self.many is None:
                return one_by_one(events, records)
            return self.many.outcomes(events, records, one_by_one)
        if len(records) <= _PIECES:
            return [self._alone(record, max_bytes) for record in records]
        return self._in_pieces(records, -(-len(records) // _PIECES), max_bytes)

    def _read(self, records: Sequence[Received], max_bytes: int) -> list[E] | None:
        """Return the event of each record, or ``None`` if any of them needs a closer look.

        Nobody's bytes may change what another record says. Every value starts with ``{`` and has no
        other. If the parser finds as many objects as values, each of these braces opens one of them,
        none is nested or in a text. So the n-th object starts where the n-th value does, and is
        closed before the next one opens, with our comma between them: it is the n-th value, whole.
        """
        values = [value for record in records if (value := record.value)]
        if len(values) < len(records):
            return None
        longest = max(map(len, values))
        if longest > max_bytes or not _OPENING.issuperset(map(_first_byte, values)):
            return None
        joined = b"[%b]" % b",".join(values)
        if joined.count(b"{") != len(values):
            return None
        events = self.quick.read(joined) if self.quick and longest <= LONGEST else None
        if events is None:
            events = self._validated_together(joined)
        return events if events is not None and len(events) == len(values) else None

    def _validated_together(self, joined: bytes) -> list[E] | None:
        # pydantic's parser takes them for numbers, and in an unknown field nobody else looks.
        if b"NaN" in joined or b"Infinity" in joined:
            return None
        try:
            events = self.chunk.validate_json(joined)
        except ValidationError:
            return None
        return [self.shape(**event) for event in events]

    def _converted(
        self, max_bytes: int, events: Sequence[E], records: Sequence[Received]
    ) -> list[T | Rejected]:
        outcomes: list[T | Rejected] = []
        convert = self.convert
        for event, record in zip(events, records, strict=True):
            try:
                outcomes.append(convert(event, record))
            except RefusedError as refused:
                outcomes.append(refused.rejected)
            except Exception:  # noqa: BLE001 - who is to blame is found with the record alone
                outcomes.append(self._alone(record, max_bytes))
        return outcomes

    def _alone(self, record: Received, max_bytes: int) -> T | Rejected:
        value = record.value
        if value is None:
            return reject(Reason.NO_VALUE, "The record has no value.")
        if len(value) > max_bytes:
            detail = f"The value has {len(value)} bytes, more than {max_bytes}."
            return reject(Reason.TOO_LARGE, detail)
        try:
            members = self._validated(value)
            try:
                return self.convert(self.shape(**members), record)
            except InexactError:
                return self.convert(self.shape(**_with_texts(members, value)), record)
        except RefusedError as refused:
            return refused.rejected
        except Exception as bug:  # noqa: BLE001 - nothing that can arrive may stop a worker
            return _rule_failed(bug, record)

    def _validated(self, value: bytes) -> dict[str, Any]:
        # To JSON Schema, 1.0 is an integer.
        members = {name: _whole(member) for name, member in json_object(value).items()}
        try:
            event: dict[str, Any] = self.model_of(members).validate_python(members)
        except ValidationError as problem:
            raise refusal(problem, members) from None
        return event


def _whole(member: Any) -> Any:
    return int(member) if isinstance(member, float) and member.is_integer() else member


def _with_texts(members: Mapping[str, Any], value: bytes) -> dict[str, Any]:
    """Return the same members with more exact numbers."""
    texts = json.loads(value, parse_float=DecimalFloat, parse_int=DecimalFloat)
    return {
        name: texts[name] if isinstance(member, float) else member
        for name, member in members.items()
    }


def _rule_failed(bug: Exception, record: Received) -> Rejected:
    logger.error(
        "decoding the record at partition %d offset %d failed",
        record.partition,
        record.offset,
        exc_info=bug,
    )
    detail = f"Decoding it raised {type(bug).__name__}, which is a bug of evcharge."
    return reject(Reason.RULE_FAILED, detail)
