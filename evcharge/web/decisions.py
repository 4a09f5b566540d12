"""What persons decide about sessions: tried at the owner, recorded in the log, shown with its effect.

Nothing is changed here. A decision becomes a record of ``session-decisions``; the agent that reads it
is the only one to apply it; so whatever fails on the way, it counts once or not at all.
"""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus

import msgspec
from aiohttp import web

from evcharge.domain.billing.account import NO_ACCOUNT, facts_of
from evcharge.domain.billing.decision import Decision, Verdict
from evcharge.domain.billing.settle import decide
from evcharge.errors import EvchargeError
from evcharge.events.decision_request import DecisionRequest, named, parse_decision_request
from evcharge.events.fields import kept as kept_text
from evcharge.events.rejection import Rejected
from evcharge.events.session_decisions import Decided, encode_session_decision
from evcharge.web import parameters
from evcharge.web.answers import encode, json_response
from evcharge.web.bodies import body_of
from evcharge.web.context import WebContext, context_of
from evcharge.web.owners import at_owner_only, require_readable
from evcharge.web.problems import ProblemError, unavailable
from evcharge.web.read_desk import ReadDesk
from evcharge.web.session_view import session_json
from evcharge.web.sessions import kept_session
from evcharge.web.state import KeptSession

_LOOKS_EVERY_S = 0.02
_A_LOOK_S = 1.0
"""Seconds after which an owner says that a decision has not taken effect yet."""

_LAST = 2**62
"""The offset of a record that is not there yet: behind all others."""


class Trial(msgspec.Struct):
    """What the owner of a session says of a decision, before it is recorded or after."""

    taken_up: bool
    """Whether it has taken effect."""
    records: int
    """How many different records of the session are known."""
    decisions: int
    """How many decisions about it were accepted."""
    session: msgspec.Raw
    """The session as it is."""


_read_trial = msgspec.json.Decoder(Trial).decode


async def decide_session(request: web.Request) -> web.Response:
    """Record a decision about a session."""
    context, session_id = context_of(request), parameters.path_id(request, "session_id")
    _refuse_other_pages(request)
    parsed = parse_decision_request(await body_of(request))
    if isinstance(parsed, Rejected):
        raise ProblemError(HTTPStatus.BAD_REQUEST, parsed.detail)
    said = named(parsed, session_id)
    tried = await _trial(context, session_id, said)
    if isinstance(tried, web.Response):
        return tried
    if tried.taken_up:
        return json_response(tried.session)
    await _record(context, session_id, said, tried)
    return await _effect(context, session_id, said, tried)


def _refuse_other_pages(request: web.Request) -> None:
    """Refuse what a page of another site has a browser send; programs send neither header."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = origin is None or origin.partition("://")[2] == request.host
    if not is_ours:
        raise ProblemError(HTTPStatus.FORBIDDEN, "A page of another site cannot decide here.")


# -- trying


async def _trial(
    context: WebContext, session_id: str, said: DecisionRequest
) -> Trial | web.Response:
    """Return what the owner says, or its answer if the decision cannot be recorded."""

    async def here(context: WebContext) -> web.Response:
        return json_response(await _try(context, session_id, said))

    path = f"/stations/{said.station_id}/sessions/{session_id}/trial"
    query = {"decision": said.model_dump_json(exclude_none=True, exclude={"reason"})}
    answer = await at_owner_only(context, said.station_id, path, query, here)
    if answer.status != HTTPStatus.OK or not isinstance(answer.body, bytes):
        return answer
    return _read_trial(answer.body)


async def try_own_decision(request: web.Request) -> web.Response:
    """What this worker says of a decision that another one was asked for."""
    context, session_id = context_of(request), parameters.path_id(request, "session_id")
    parsed = parse_decision_request(request.query.get("decision", "").encode())
    if isinstance(parsed, Rejected):
        raise ProblemError(HTTPStatus.BAD_REQUEST, parsed.detail)
    require_readable(context, parsed.station_id)
    return json_response(await _try(context, session_id, parsed))


async def _try(context: WebContext, session_id: str, said: DecisionRequest) -> Trial:
    """Do what the agent would do with a decision, and forget it.

    Raises:
        ProblemError: 404; 409, it is about another revision or cannot apply.
    """
    kept = kept_session(context, said.station_id, session_id)
    if not _is_taken_up(kept, said.decision_id):
        revision = kept.stands.revision
        if kept.unbilled:
            raise _undecidable(kept.unbilled, revision)
        if said.revision != revision:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                f"The session is at revision {revision}, not {int(said.revision)}: look at it again.",
                revision=revision,
            )
        decision = _decision(context, said, kept.state.revision, _decisions(kept))
        started_us = facts_of(kept.state).corrected(decision.corrections).started_us
        desk = ReadDesk(context, kept, started_us)
        work = partial(decide, desk, kept.session, kept.account, decision)
        refusal = (await context.aside.do(work)).refusal
        if refusal is not None:
            raise _undecidable(refusal, revision)
    return await _as_it_is(context, kept, said.decision_id)


def _undecidable(why: str, revision: int) -> ProblemError:
    detail = f"The session cannot be decided so: {why}."
    return ProblemError(HTTPStatus.CONFLICT, detail, revision=revision)


def _is_taken_up(kept: KeptSession, decision_id: str | None) -> bool:
    return decision_id in ((kept.account or NO_ACCOUNT).known or ())


def _decisions(kept: KeptSession) -> int:
    return (kept.account or NO_ACCOUNT).decisions or 0


async def _as_it_is(context: WebContext, kept: KeptSession, decision_id: str | None) -> Trial:
    return Trial(
        _is_taken_up(kept, decision_id),
        kept.state.revision,
        _decisions(kept),
        msgspec.Raw(encode(await session_json(context, kept))),
    )


def _decision(context: WebContext, said: DecisionRequest, records: int, decisions: int) -> Decision:
    assert said.decision_id is not None, "it was named"
    return Decision(
        said.decision_id,
        Verdict(said.decision),
        said.actor,
        records,
        decisions,
        context.reader.partition_of(said.station_id),
        _LAST,
        context.now_us(),
        said.corrections,
    )


# -- recording


async def _record(
    context: WebContext, session_id: str, said: DecisionRequest, trial: Trial
) -> None:
    decision = _decision(context, said, trial.records, trial.decisions)
    decided = Decided(said.station_id, session_id, decision)
    record = encode_session_decision(decided, decision.ingest_us, reason=kept_text(said.reason))
    try:
        await context.decisions.append(decision.partition, said.station_id, record)
    except EvchargeError as problem:
        raise unavailable(
            f"Nobody knows whether the decision was recorded: {problem}. Send the same again; it counts"
            " once."
        ) from problem


async def _effect(
    context: WebContext, session_id: str, said: DecisionRequest, tried: Trial
) -> web.Response:
    """Wait for the effect of a recorded decision, and return the session with it.

    202 with the session as it was: it takes longer, and comes by itself.
    """

    async def here(context: WebContext) -> web.Response:
        return json_response(
            await _look(context, station_id, session_id, decision_id, tried.decisions)
        )

    station_id, decision_id = said.station_id, said.decision_id or ""
    path = f"/stations/{station_id}/sessions/{session_id}/decisions/{decision_id}"
    query = {"decisions": str(tried.decisions)}
    pending = web.Response(
        status=HTTPStatus.ACCEPTED, body=bytes(tried.session), content_type="application/json"
    )
    try:
        async with asyncio.timeout(context.decision_patience_s):
            while True:
                try:
                    answer = await at_owner_only(context, station_id, path, query, here)
                except ProblemError as problem:
                    if problem.status is not HTTPStatus.SERVICE_UNAVAILABLE:
                        raise
                    continue
                if answer.status != HTTPStatus.OK or not isinstance(answer.body, bytes):
                    return answer
                seen = _read_trial(answer.body)
                if seen.taken_up:
                    return json_response(seen.session)
    except TimeoutError:
        return pending


async def look_at_own_decision(request: web.Request) -> web.Response:
    """Whether a recorded decision has taken effect at this worker, for another worker."""
    context, session_id = context_of(request), parameters.path_id(request, "session_id")
    station_id = parameters.path_id(request, "station_id")
    decision_id = parameters.path_id(request, "decision_id")
    known = request.query.get("decisions", "")
    require_readable(context, station_id)
    decisions = int(known[:9]) if known.isdecimal() else 0
    return json_response(await _look(context, station_id, session_id, decision_id, decisions))


async def _look(
    context: WebContext, station_id: str, session_id: str, decision_id: str, decisions: int
) -> Trial:
    """Wait a moment for the effect of a recorded decision.

    Raises:
        ProblemError: 409, another decision was recorded first, so this one has none.
    """
    looks = round(_A_LOOK_S / _LOOKS_EVERY_S)
    while True:
        kept = kept_session(context, station_id, session_id)
        is_taken_up = _is_taken_up(kept, decision_id)
        if not is_taken_up and _decisions(kept) != decisions:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "Somebody else decided first: look at the session again.",
                revision=kept.stands.revision,
            )
        looks -= 1
        if is_taken_up or not looks:
            return await _as_it_is(context, kept, decision_id)
        await asyncio.sleep(_LOOKS_EVERY_S)
