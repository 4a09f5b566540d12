"""What was decided about a session, as its record in the log says it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What a decision does."""

    APPROVE = "approve"
    """The session is billed as its records tell it."""
    CORRECT = "correct"
    """It is billed with a person's values in place of some of those."""
    VOID = "void"
    """It is not billed at all."""
    RERATE = "rerate"
    """What is billed stays; its tariff is another one."""


class Corrections(NamedTuple):
    """Values that count instead of the records'; None: the records' own."""

    started_us: int | None = None
    ended_us: int | None = None
    energy_uwh: int | None = None
    user_id: str | None = None


class Decision(NamedTuple):
    """A record of ``session-decisions``, without its session's identity.

    It is about what its author saw: the first ``revision`` different records of the session in the
    order of arrival, whatever came later.
    """

    decision_id: str
    """A repetition under the same id changes nothing."""
    verdict: Verdict
    actor: str
    """Who decided: an opaque id."""
    revision: int
    """How many different records of the session its author saw."""
    decisions: int | None
    """How many decisions about it its author knew of; None: any number.

    One that was made without knowing of another is not accepted: two people cannot overrule each
    other unseen."""
    partition: int
    offset: int
    """Of its record: the later decision counts."""
    ingest_us: int
    """When it was appended."""
    corrections: Corrections | None = None
    document: str | None = None
    """The tariff of a re-rating, a JSON text that was validated when the decision was read."""
