"""Which status a station and each of its plugs has, from all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from evcharge.domain.quantities import SECOND_US
from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.domain.station_session import OpenSession
from evcharge.domain.station_state import WHOLE_STATION, ConnectorWord, StationState
from evcharge.domain.station_view import ConnectorView, StationView
from evcharge.domain.status_report import Status

STATUS_ORDER = (
    Status.FREE,
    Status.RESERVED,
    Status.OCCUPIED,
    Status.UNAVAILABLE,
    Status.FAULTED,
    Status.UNKNOWN,
)
"""A station's status is the first of these that any of its plugs has."""

TAKEN = frozenset({Status.OCCUPIED, Status.RESERVED})
"""What blocks the other plugs of the same EVSE."""

GIVES_WAY = frozenset({Status.FREE, Status.UNKNOWN})
"""What an open session turns into occupied, and a taken EVSE into blocked."""


def describe_station(
    station_id: str,
    state: StationState | None,
    open_sessions: Sequence[OpenSession],
    station: RegisteredStation | None,
    now_us: int,
    silence_us: int,
) -> StationView:
    """Join the last words, the running sessions and the register into the contract's **Station**.

    ``now_us`` and ``silence_us`` decide what is stale: a plug that neither spoke for itself nor was
    spoken for by its station for longer than ``silence_us`` is unknown.
    """
    words = {word.connector_id: word for word in state.words} if state else {}
    sessions = {each.connector_id: each for each in sorted(open_sessions, key=_by_start)}
    registered = {each.connector_id: each for each in station.connectors} if station else {}
    whole = words.pop(WHOLE_STATION, None)
    # Nothing tells how many plugs there are: a report that names none means connector 1.
    ids = sorted({*words, *sessions, *registered} - {WHOLE_STATION}) or [1]
    connectors = _block(
        [
            _describe_connector(
                registered.get(each) or RegisteredConnector(each),
                _prevailing(words.get(each), whole),
                sessions.get(each),
                now_us,
                silence_us,
            )
            for each in ids
        ]
    )
    evses = {_evse(each) for each in connectors}
    free = {_evse(each) for each in connectors if each.status is Status.FREE}
    said = {each.status for each in connectors}
    facts = station or RegisteredStation(station_id)
    return StationView(
        station_id=station_id,
        name=facts.name,
        latitude=facts.latitude,
        longitude=facts.longitude,
        time_zone=facts.time_zone,
        site_id=facts.site_id,
        tariff_id=facts.tariff_id,
        status=next(each for each in STATUS_ORDER if each in said),
        free=len(free),
        evses=len(evses),
        connectors=connectors,
        updated_us=max(
            (
                *(word.heard_us for word in (state.words if state else ())),
                *(each.heard_us for each in open_sessions),
            ),
            default=None,
        ),
    )


def _by_start(session: OpenSession) -> tuple[int, int, str]:
    """Order overlapping sessions of a plug: the one that started last is the one to show."""
    return (session.started_us or 0, session.heard_us, session.session_id)


def _prevailing(own: ConnectorWord | None, whole: ConnectorWord | None) -> ConnectorWord | None:
    """Decide between a plug's own last word and its station's.

    The later event time wins, a tie goes to the plug, and a plug's own fault outranks a station-wide
    ``free``. The station's sign of life is one of the plug too.
    """
    if own is None or whole is None:
        return own or whole
    heard_us = max(own.heard_us, whole.heard_us)
    if own.status is Status.FAULTED and whole.status is Status.FREE:
        return own._replace(heard_us=heard_us)
    word = own if own.event_us >= whole.event_us else whole
    # Before the younger of the two statuses began, the other word may have been the prevailing one.
    return word._replace(since_us=max(own.since_us, whole.since_us), heard_us=heard_us)


def _describe_connector(
    registered: RegisteredConnector,
    word: ConnectorWord | None,
    session: OpenSession | None,
    now_us: int,
    silence_us: int,
) -> ConnectorView:
    status, since_us, error_code = Status.UNKNOWN, None, None
    if word is not None:
        status, since_us, error_code = word.status, word.since_us, word.error_code
        if now_us - word.heard_us > silence_us:
            status, since_us, error_code = Status.UNKNOWN, word.heard_us, None
    if session is not None and status in GIVES_WAY:
        status, since_us = Status.OCCUPIED, session.started_us
    heard = [each.heard_us for each in (word, session) if each is not None]
    return ConnectorView(
        connector_id=registered.connector_id,
        evse_id=registered.evse_id,
        status=status,
        since_us=since_us,
        # Clocks of the broker and of this machine differ a little: an age is never negative.
        age_s=max(0, now_us - max(heard)) // SECOND_US if heard else None,
        error_code=error_code,
        standard=registered.standard,
        max_power_mw=registered.max_power_mw,
        session_id=session.session_id if session else None,
    )


def _evse(connector: ConnectorView) -> tuple[str | None, int]:
    """What tells EVSEs apart; a plug without an ``evse_id`` is one by itself."""
    return (connector.evse_id, 0 if connector.evse_id is not None else connector.connector_id)


def _block(connectors: Iterable[ConnectorView]) -> tuple[ConnectorView, ...]:
    """Mark the plugs whose EVSE is taken through another one, for as long as it is."""
    connectors = tuple(connectors)
    takers: dict[tuple[str | None, int], ConnectorView] = {}
    for each in connectors:
        if each.status in TAKEN:
            takers.setdefault(_evse(each), each)
    return tuple(
        replace(
            each,
            status=Status.BLOCKED,
            since_us=taker.since_us,
            age_s=taker.age_s,
            error_code=None,
        )
        if each.status in GIVES_WAY and (taker := takers.get(_evse(each)))
        else each
        for each in connectors
    )
