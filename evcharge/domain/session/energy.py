"""The energy of a session: one rule for the running and the final value.

A reading states the session's energy so far (``energy_kwh``), the meter's register (``meter_kwh``), or
both; a statement wins over a register. A register counts as its difference to the session's *base*, the
first register that is known. What live systems got wrong (``tests/domain/test_session_energy.py`` names
each) decides the rest, with one threshold (``Limits.max_leap_uwh``):

* **Leap.** A register that is further above the energy so far than the threshold has leaped. It counts,
  so that it can be seen, and marks the session (``energy-leaped``): nobody knows whether a car drew it.
* **Placeholder.** Registers that were nothing but 0 when it leaps were an offline placeholder (0, then
  909948 Wh, then 910031 Wh: 0.083 kWh). Counting goes on from the leap with the energy so far. Any other
  base was measured, however small, and so is a 0 from which the register once moved.
* **Another register.** Where a reading states its energy too, that tells what a leap is worth: counting
  goes on from it.
* **Session-relative.** A register below the threshold can be one session's own count; one from there
  on is a meter's lifetime count. While the session runs and no energy is counted yet, a small register
  after a lifetime base is the session's own count (4076 kWh, then 0.104, 0.228, 0.353: 0.353 kWh).
  Lifetime registers that follow still count from their base.
* **Decrease.** Energy never goes down. A lower reading is kept out and marks the session
  (``energy-decreased``); an end below what was read marks it too, and its value is shown. An end's small
  register is never taken for session-relative unless an earlier reading was.
* An end that states its energy settles a leap before it.
* A correction's value is accepted as it stands, and settles an earlier decrease; only a register cannot
  be accepted that is below the base, or has leaped.
* A record without energy changes nothing. A register alone is no energy: without a base there is none.
"""

from __future__ import annotations

from typing import NamedTuple


class Metering(NamedTuple):
    """What is known of a session's energy after some of its records, in order."""

    energy_uwh: int | None = None
    """Energy so far; never goes down before the end."""
    base_uwh: int | None = None
    """The register at which the session's energy was 0."""
    register_uwh: int | None = None
    """The last register."""
    relative: bool | None = None
    """True: registers of the session's own count were seen after a lifetime base."""
    decreased: bool = False
    leaped: bool = False


def read(
    before: Metering, energy_uwh: int | None, meter_uwh: int | None, max_leap_uwh: int
) -> Metering:
    """Count one reading of a running session; at least one of its two values is given."""
    energy, base, register, relative, decreased, leaped = before
    reading = energy_uwh
    if meter_uwh is not None:
        register = meter_uwh
        counted = energy_of(before, None, meter_uwh, max_leap_uwh)
        unread = energy_uwh is not None or not energy
        if base is not None and meter_uwh < max_leap_uwh <= base and unread:
            relative = True
            counted = meter_uwh
        elif counted is None:
            if base is not None:
                energy = energy or None  # the zeros of a placeholder were no readings
            base = max(meter_uwh - (energy_uwh or energy or 0), 0)
            counted = None if energy is None else meter_uwh - base
        elif _leaps(before, counted, max_leap_uwh):
            if energy_uwh is None:
                leaped = True
            else:
                base = max(meter_uwh - energy_uwh, 0)
        if reading is None:
            reading = counted
    if reading is not None:
        if reading >= (energy or 0):
            energy = reading
        else:
            decreased = True
    return Metering(energy, base, register, relative, decreased, leaped)


def energy_of(
    metering: Metering, energy_uwh: int | None, meter_uwh: int | None, max_leap_uwh: int
) -> int | None:
    """Return the session energy that a record states, negative if its register is below the base.

    None: it states none, or its register cannot be counted (no base, or a placeholder).
    """
    if energy_uwh is not None:
        return energy_uwh
    base = metering.base_uwh
    if meter_uwh is None or base is None:
        return None
    if metering.relative and meter_uwh < max_leap_uwh <= base:
        return meter_uwh
    counted = meter_uwh - base
    if base == metering.register_uwh == 0 and _leaps(metering, counted, max_leap_uwh):
        return None
    return counted


def has_leaped(
    running: Metering, energy_uwh: int | None, meter_uwh: int | None, max_leap_uwh: int
) -> bool:
    """Whether the final energy is in doubt if it is what this record tells: a register is no remedy."""
    if energy_uwh is not None:
        return False
    counted = energy_of(running, None, meter_uwh, max_leap_uwh)
    return running.leaped or (counted is not None and _leaps(running, counted, max_leap_uwh))


def _leaps(metering: Metering, counted_uwh: int, max_leap_uwh: int) -> bool:
    return counted_uwh - (metering.energy_uwh or 0) > max_leap_uwh


def settle(
    running: Metering,
    stated_uwh: int | None,
    meter_uwh: int | None,
    *,
    correction: bool,
    leaped: bool,
) -> Metering:
    """Return the final metering: ``stated_uwh`` is :func:`energy_of` the end, or of none of the ends.

    ``leaped`` is :func:`has_leaped` of the end that states it. An end that states no energy leaves the
    last reading as the final one. A register that leaps makes the zeros of its placeholder no readings,
    here as in :func:`read`.
    """
    energy, base, register, relative, decreased, _ = running
    if meter_uwh is not None:
        register = meter_uwh
    if stated_uwh is None:
        if meter_uwh is not None and base is not None:
            energy = energy or None
    else:
        decreased = stated_uwh < (0 if correction else energy or 0) or (
            decreased and not correction
        )
        # A register below the base states no energy that could be shown.
        energy = stated_uwh if stated_uwh >= 0 else energy or 0
    return Metering(energy, base, register, relative, decreased, leaped)
