"""Stations belong to partitions as Kafka's Java client puts them."""

from __future__ import annotations

from random import Random

import pytest
from aiokafka.partitioner import murmur2 as their_murmur2
from hypothesis import given
from hypothesis import strategies as st

from evcharge.kafka.partitioning import Partitioner, murmur2, murmur2_of_each, partition_of


@pytest.mark.parametrize(
    ("key", "hashed"),
    [  # org.apache.kafka.common.utils.UtilsTest, testMurmur2
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ],
)
def test_the_hash_is_the_one_of_kafkas_java_client(key: str, hashed: int) -> None:
    for partitions in (1, 2, 4, 8, 16, 32, 64):
        expected = (hashed & 0x7FFFFFFF) % partitions
        assert Partitioner(partitions).partition_of(key) == expected


def test_what_is_remembered_is_bounded() -> None:
    partitioner = Partitioner(8, remember=10)
    for number in range(0, 100, 2):
        partitioner.partition_of(f"EV-{number}")
        partitioner.partitions_of([f"EV-{number}", f"EV-{number + 1}"])
    assert len(partitioner._known) == 10


@given(
    station_ids=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=40),
    alike=st.lists(st.text("Ea1-", min_size=9, max_size=9), max_size=400),
    partitions=st.integers(1, 128),
    remember=st.sampled_from([0, 3, 1_000]),
)
def test_many_stations_belong_where_each_of_them_does(
    station_ids: list[str], alike: list[str], partitions: int, remember: int
) -> None:
    partitioner = Partitioner(partitions, remember)
    for asked in (alike, station_ids + alike, alike[::-1] + station_ids):
        homes = partitioner.partitions_of(asked)
        assert list(homes) == [partition_of(each.encode(), partitions) for each in asked]
        assert list(homes) == [partitioner.partition_of(each) for each in asked]


@given(key=st.binary(max_size=70))
def test_the_hash_is_the_one_of_aiokafkas_producers(key: bytes) -> None:
    assert murmur2(key) == int(their_murmur2(key)) & 0xFFFFFFFF


@given(length=st.integers(1, 40), count=st.integers(1, 50), chance=st.randoms())
def test_keys_of_one_length_have_the_same_hash_together_as_alone(
    length: int, count: int, chance: Random
) -> None:
    keys = [chance.randbytes(length) for _ in range(count - 1)] + [b"\xff" * length]
    assert list(murmur2_of_each(keys)) == list(map(murmur2, keys))
