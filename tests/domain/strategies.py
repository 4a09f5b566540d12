"""Hypothesis strategies of session records: plausible sessions, and sets made to break the rules.

Values are drawn from small pools on purpose: ties, repeats and contradictions must be common.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from evcharge.domain.session import Limits
from evcharge.domain.session_record import RecordKind, SessionRecord
from tests.domain.session_records import MINUTE, PLUG_IN, closed, end, start, update

ENERGIES = (None, None, 0.0, 0.104, 0.353, 5.0, 12.3, 22.5, 400.0)
METERS = (None, None, None, 0.0, 0.104, 100.0, 105.0, 400.0, 450.0, 4070.0, 4076.0, 4076.4)

small_limits = st.builds(
    Limits,
    max_session_us=st.sampled_from([10 * MINUTE, 7 * 24 * 60 * MINUTE]),
    max_readings=st.sampled_from([1, 2, 3, 5, 20_000]),
    max_leap_uwh=st.sampled_from([each * 10**9 for each in (1, 299, 300, 4_000)]),
)


def _micro_kwh(amounts: Sequence[float | None]) -> st.SearchStrategy[int | None]:
    return st.sampled_from([None if each is None else round(each * 1e9) for each in amounts])


adversarial_records: st.SearchStrategy[SessionRecord] = st.builds(
    SessionRecord,
    station_id=st.just("EV-001"),
    session_id=st.just("S1"),
    kind=st.sampled_from(RecordKind),
    timestamp_us=st.sampled_from([PLUG_IN + each * MINUTE for each in (0, 0, 1, 1, 2, 30)]),
    ingest_us=st.sampled_from([PLUG_IN + each * MINUTE for each in (0, 1, 2, 25, 31)]),
    partition=st.sampled_from([0, 1]),
    offset=st.integers(0, 3),
    energy_uwh=_micro_kwh(ENERGIES),
    meter_uwh=_micro_kwh(METERS),
    power_mw=st.sampled_from([None, None, 11_000_000]),
    seq=st.sampled_from([None, None, 0, 1]),
    connector_id=st.sampled_from([None, None, 1, 2]),
    user_id=st.sampled_from([None, None, None, "U1", "U2", "U3"]),
    start_time_us=st.sampled_from([None, PLUG_IN, PLUG_IN + 3 * MINUTE]),
    duration_us=st.sampled_from([None, 60_000_000]),
    correction=st.sampled_from([None, None, None, True]),
    charging=st.sampled_from([None, None, False]),
    current_ua=st.sampled_from([None, None, 16_000_000]),
    soc_millionths=st.sampled_from([None, None, 80_000_000]),
    reason=st.sampled_from([None, None, "EVDisconnected"]),
    reservation_id=st.sampled_from([None, None, "R1"]),
)
"""Any record at all, from few different ones."""


@st.composite
def plausible_sessions(draw: st.DrawFn, most_updates: int = 8) -> list[SessionRecord]:
    """Draw what an honest device sends: a start, growing energy, an end; any of them may be missing."""
    register = draw(st.none() | st.floats(1_000, 9_000).map(lambda each: round(each, 3)))
    steps = draw(st.lists(st.floats(0, 5).map(lambda e: round(e, 3)), max_size=most_updates))
    records = [start(meter=register, user_id=draw(st.sampled_from([None, "U1"])))]
    energy = 0.0
    for minute, step in enumerate(steps, 1):
        energy = round(energy + step, 3)
        by_register = register is not None and draw(st.booleans())
        records.append(
            update(minute, meter=round((register or 0) + energy, 3))
            if by_register
            else update(minute, energy, power_mw=11_000_000)
        )
    ending = draw(st.sampled_from([end, closed, None]))
    if ending:
        records.append(ending(len(steps) + 1, energy))
    lost = draw(st.integers(-5, len(records) - 1))
    return [each for i, each in enumerate(records) if i != lost] or records


@st.composite
def repeats(draw: st.DrawFn, records: Sequence[SessionRecord]) -> SessionRecord:
    """Draw a repeat of one of the records, ingested at another time and place."""
    return draw(st.sampled_from(records))._replace(
        ingest_us=draw(
            st.sampled_from([PLUG_IN + each * MINUTE for each in (0, 1, 2, 25, 31, 99)])
        ),
        partition=draw(st.sampled_from([0, 1])),
        offset=draw(st.integers(0, 9)),
    )


record_sets: st.SearchStrategy[list[SessionRecord]] = (
    st.lists(adversarial_records, min_size=1, max_size=9) | plausible_sessions()
)


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[SessionRecord]]:
    """Draw a set of records as it may arrive: in any order, with repeats, split into chunks."""
    records = draw(record_sets)
    repeated = draw(st.lists(repeats(records), max_size=4))
    arriving = draw(st.permutations([*records, *repeated]) | st.just([*records, *repeated]))
    cuts = sorted(draw(st.sets(st.integers(1, len(arriving)))) | {len(arriving)})
    return [list(arriving[a:b]) for a, b in zip([0, *cuts], cuts, strict=False) if b > a]
