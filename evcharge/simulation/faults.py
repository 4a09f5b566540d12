"""What goes wrong with devices and networks, one function for each fault.

A fault takes a delivery and gives what becomes of it. `fault_mix.py` decides when it strikes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evcharge.simulation.delivery import Delivery, Routing, timestamp

if TYPE_CHECKING:
    from random import Random

_SECOND_US = 1_000_000

CLOCK_ERRORS_S = (-7_200, 1_200, -90, 90_000)
"""Two hours behind (local time sent as UTC), ahead by minutes, behind a little, ahead by a day."""

_JUNK = (
    b"",
    b"\x00\xff\xfe\x80junk",
    b"{",
    b"null",
    b'["an","array"]',
    b'{"station_id":"?","timestamp":"1970-01-01","status":"maybe"}',
    b'{"event":"session_update","energy_kwh":NaN}',
    b"[" * 2_000,
)


def duplicate(sent: Delivery, chance: Random) -> list[Delivery]:
    """The device missed the acknowledgement and sends the record again."""
    return [sent, replace(sent, due_us=sent.due_us + chance.randrange(5 * _SECOND_US))]


def late(sent: Delivery, chance: Random) -> list[Delivery]:
    """The device was offline and delivers from its queue, 10 to 60 s later."""
    return [replace(sent, due_us=sent.due_us + chance.randrange(10, 60) * _SECOND_US)]


def out_of_order(sent: Delivery, chance: Random) -> list[Delivery]:
    """The record takes a slower way: those sent in the next 1 to 4 s overtake it."""
    return [replace(sent, due_us=sent.due_us + chance.randrange(_SECOND_US, 4 * _SECOND_US))]


def lost_end(_sent: Delivery, _chance: Random) -> list[Delivery]:
    """A power cut: the session's end is never sent."""
    return []


def zero_register(sent: Delivery, _chance: Random) -> list[Delivery]:
    """The device began offline and states 0 in place of its meter's register at the start."""
    return [_with(sent, meter_kwh=0)]


def meter_reset(sent: Delivery, base_kwh: float) -> list[Delivery]:
    """The meter began again at 0 when it showed `base_kwh`."""
    return [_with(sent, meter_kwh=round(max(0.0, sent.event["meter_kwh"] - base_kwh), 4))]


def skewed_clock(sent: Delivery, error_s: int) -> list[Delivery]:
    """The device's clock is wrong by so many seconds."""
    return [_with(sent, timestamp=timestamp(sent.due_us + error_s * _SECOND_US))]


def silent_station(_sent: Delivery, _chance: Random) -> list[Delivery]:
    """The station has lost its connection for good."""
    return []


def foreign_partitioner(sent: Delivery, _chance: Random) -> list[Delivery]:
    """The device's Kafka client is librdkafka, which hashes keys with CRC32."""
    return [replace(sent, routing=Routing.CRC32)]


def no_key(sent: Delivery, chance: Random) -> list[Delivery]:
    """The device's Kafka client sends no key, to any partition."""
    return [replace(sent, routing=Routing.NO_KEY, scatter=chance.randrange(1 << 16))]


def junk(sent: Delivery, chance: Random) -> list[Delivery]:
    """Something that is no event arrives beside the record."""
    return [sent, replace(sent, junk=chance.choice(_JUNK))]


def _with(sent: Delivery, **fields: Any) -> Delivery:
    return replace(sent, event={**sent.event, **fields})
