"""Remembering parts of timestamps changes nothing: each is read as it would be alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evcharge.domain.quantities import DAY_US, MAX_INSTANT_US, TimestampError, parse_timestamp
from evcharge.events import instants as module
from evcharge.events.instants import instant, instants
from evcharge.events.quick import DoubtError
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


@given(
    texts=st.lists(TEXTS, max_size=3),
    ingests_us=st.lists(st.sampled_from([-1000, 0, NOON_US, MAX_INSTANT_US + 1]), min_size=3),
)
@example(texts=["2016-12-31T23:59:60Z"], ingests_us=[NOON_US])
@example(texts=["0002-06-30T21:59:30Z"], ingests_us=[-1000])
@example(texts=["0002-06-30T21:59:30Z"], ingests_us=[MAX_INSTANT_US + 1])
@example(texts=["2023-05-02T12:00:00.001Z"] * 2, ingests_us=[NOON_US + 1000, NOON_US])
def test_many_texts_are_read_as_each_is_or_not_at_all(
    texts: list[str], ingests_us: list[int]
) -> None:
    ingests_us = ingests_us[: len(texts)]
    try:
        found = instants(texts, ingests_us)
    except DoubtError:
        return
    assert found == [
        instant(text, "timestamp", ingest_us)
        for text, ingest_us in zip(texts, ingests_us, strict=True)
    ]


def test_many_texts_need_no_second_look_whatever_their_offsets_and_fractions() -> None:
    texts = [
        f"2023-05-01T{hour:02}:{minute:02}:59{fraction}{offset}"
        for hour in (0, 9, 23)
        for minute in (0, 59)
        for fraction in ("", ".5", ".250", ".1234", ".123456", ".123456789")
        for offset in ("Z", "z", "+02:00", "-11:30", "-00:00")
    ]
    assert instants(texts, [NOON_US + DAY_US] * len(texts)) == list(map(parse_timestamp, texts))


def test_what_is_remembered_is_bounded() -> None:
    for each in range(6_000):
        days, minutes = divmod(each, 1_440)
        text = f"2023-04-2{days}T{minutes // 60:02}:{minutes % 60:02}:30.{each % 1_000:03}"
        instant(f"{text}+{each // 100 % 24:02}:{each % 60:02}", "timestamp", NOON_US)
    assert len(module._minutes) <= 5_000
    assert len(module._rests) <= 5_000
