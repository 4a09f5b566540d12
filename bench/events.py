"""The device events of the benchmark: a fleet's mixed stream, the same bytes for the same seed.

The mix is the one that `make bench` is about: of each hundred events 20 are a station's status, 70 a
running session's update, 10 a session's start or end. Every event's station is drawn uniformly, so
nothing is local: how often a key repeats depends on the number of stations alone. Every session is
whole: one start, updates, one end; its energy never falls, and its records are in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from random import Random
from time import gmtime, strftime
from typing import NamedTuple

STATUS_SHARE = 0.2
UPDATE_SHARE = 0.7

FIRST_INSTANT_MS = 1_700_000_000_000
"""When the stream begins, in event time: 2023-11-14T22:13:20Z."""

UPDATE_EVERY_S = 300
"""Seconds of event time between two updates of a session, on average."""


class Topic(IntEnum):
    """Where an event goes."""

    STATUS = 0
    SESSIONS = 1


TOPIC_NAMES = {Topic.STATUS: "station-status", Topic.SESSIONS: "charging-sessions"}


class Event(NamedTuple):
    """One record to be: its topic, its station's number, its value."""

    topic: Topic
    station: int
    value: bytes


def station_id(number: int) -> str:
    """Return the id of the station with a number."""
    return f"EV-{number:07d}"


class Fleet:
    """A fleet whose stations are half taken when the mixed stream begins."""

    def __init__(self, stations: int, seed: int = 1) -> None:
        if stations < 2:
            raise ValueError("a fleet has at least two stations")
        self.stations = stations
        self.ended = 0
        """Sessions that the events so far have ended."""
        self._random = Random(seed)
        self._sessions = [0] * stations
        self._seq = [0] * stations
        self._energy_wh = [0] * stations
        self._open: list[int] = []
        self._place: list[int] = [-1] * stations
        """Where a station is in `_open`, -1 if it has no open session."""
        self._count = 0
        self._now_ms = float(FIRST_INSTANT_MS)
        # Half of the stations charge, and updates are 70 of 100 events.
        self._step_ms = UPDATE_SHARE * UPDATE_EVERY_S * 1000 / (stations / 2)
        self._second = -1
        self._second_text = b""

    def fill(self) -> Iterator[Event]:
        """Yield one status of every station, and the start of a session at every other one."""
        for station in range(self.stations):
            yield self._status(station)
            if station % 2:
                yield self._start(station)

    def mixed(self, events: int) -> Iterator[Event]:
        """Yield that many events of the mix."""
        draw = self._random.random
        stations = self.stations
        taken = self._open
        for _ in range(events):
            kind = draw()
            if kind < STATUS_SHARE:
                yield self._status(int(draw() * stations))
            elif kind < STATUS_SHARE + UPDATE_SHARE and taken:
                yield self._update(taken[int(draw() * len(taken))])
            else:
                # Somebody plugs in or out at any station: about half of them stay taken.
                station = int(draw() * stations)
                yield self._start(station) if self._place[station] < 0 else self._end(station)

    def _status(self, station: int) -> Event:
        word = b"free" if self._place[station] < 0 else b"occupied"
        return Event(
            Topic.STATUS,
            station,
            b'{"station_id":"EV-%07d","timestamp":"%b","status":"%b","connector_id":1,"event_id":"e%d"}'
            % (station, self._tick(), word, self._count),
        )

    def _start(self, station: int) -> Event:
        self._place[station] = len(self._open)
        self._open.append(station)
        self._sessions[station] += 1
        self._seq[station] = self._energy_wh[station] = 0
        return Event(
            Topic.SESSIONS,
            station,
            b'{"event":"session_start",%b,"connector_id":1,"user_id":"U%06d"}'
            % (self._of_session(station), int(self._random.random() * 1e6)),
        )

    def _update(self, station: int) -> Event:
        self._energy_wh[station] += 100 + int(self._random.random() * 1000)
        wh = self._energy_wh[station]
        return Event(
            Topic.SESSIONS,
            station,
            b'{"event":"session_update",%b,"energy_kwh":%d.%03d,"power_kw":11.0,"soc_percent":%d}'
            % (self._of_session(station), wh // 1000, wh % 1000, 20 + wh // 1000 % 80),
        )

    def _end(self, station: int) -> Event:
        last = self._open.pop()
        place = self._place[station]
        if last != station:
            self._open[place] = last
            self._place[last] = place
        self._place[station] = -1
        self.ended += 1
        wh = self._energy_wh[station]
        return Event(
            Topic.SESSIONS,
            station,
            b'{"event":"session_end",%b,"energy_kwh":%d.%03d,"reason":"EVDisconnected"}'
            % (self._of_session(station), wh // 1000, wh % 1000),
        )

    def _of_session(self, station: int) -> bytes:
        seq = self._seq[station]
        self._seq[station] = seq + 1
        return (
            b'"session_id":"S%07d-%d","station_id":"EV-%07d","timestamp":"%b","seq":%d,"event_id":"e%d"'
            % (station, self._sessions[station], station, self._tick(), seq, self._count)
        )

    def _tick(self) -> bytes:
        """Return the next event's instant; event time goes on a little with each event."""
        self._count += 1
        self._now_ms += self._step_ms
        second, ms = divmod(int(self._now_ms), 1000)
        if second != self._second:
            self._second = second
            self._second_text = strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)).encode()
        return b"%b.%03dZ" % (self._second_text, ms)
