"""Remembering parts of timestamps changes nothing: each is read as it would be alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evcharge.domain.quantities import TimestampError, parse_timestamp
from evcharge.events import instants
from evcharge.events.instants import instant
from evcharge.events.rejection import RefusedError
from tests.events.arrivals import NOON_US

SECONDS = st.builds(
    "{}-{}T{}:{}".format,
    st.sampled_from(["0001", "0002", "2016", "2023", "9998", "9999"]),
    st.sampled_from(["01-01", "02-29", "06-30", "12-31"]),
    st.sampled_from(["00:00", "21:59", "23:59"]),
    st.sampled_from(["00", "30", "59", "60", "61", "٣٠"]),
)
RESTS = st.builds(
    "{}{}".format,
    st.sampled_from(["", ".", ".5", ".250", ".1234", ".123456", ".1234567", ".١٢٣٤", ".12é4"]),
    st.sampled_from(["Z", "z", "", "+02:00", "-02:00", "-00:00", "+24:00", "+0200", "Z "]),
)
TEXTS = st.builds("{}{}".format, SECONDS, RESTS)


@given(texts=st.lists(TEXTS, max_size=12))
@example(texts=["2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2016-12-31T21:59:60-02:00"])
@example(texts=["2016-12-31T23:59:60Z", "2016-12-31T23:59:60-02:00", "2016-12-31T23:59:60.5Z"])
@example(texts=["2023-06-30T21:59:30Z", "2023-06-30T21:59:30.123456Z", "2023-06-30T21:59:30.1234Z"])
@example(
    texts=["2023-06-30T21:59:30-02:00", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"]
)
def test_every_text_is_read_as_if_nothing_was_remembered(texts: list[str]) -> None:
    for text in texts:
        try:
            expected = parse_timestamp(text)
        except TimestampError:
            with pytest.raises(RefusedError):
                instant(text, "timestamp", NOON_US)
            continue
        if expected < NOON_US:
            assert instant(text, "timestamp", NOON_US) == expected


def test_what_is_remembered_is_bounded() -> None:
    for each in range(6_000):
        days, minutes = divmod(each, 1_440)
        text = f"2023-04-2{days}T{minutes // 60:02}:{minutes % 60:02}:30.{each % 1_000:03}"
        instant(f"{text}+{each // 100 % 24:02}:{each % 60:02}", "timestamp", NOON_US)
    assert len(instants._minutes) <= 5_000
    assert len(instants._rests) <= 5_000
