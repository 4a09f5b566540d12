"""Stations belong to partitions as Kafka's Java client puts them."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as their_murmur2
from hypothesis import given
from hypothesis import strategies as st

from evcharge.kafka.partitioning import Partitioner, murmur2


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
    for number in range(100):
        partitioner.partition_of(f"EV-{number}")
    assert partitioner.partition_of.cache_info().currsize == 10


@given(key=st.binary(max_size=70))
def test_the_hash_is_the_one_of_aiokafkas_producers(key: bytes) -> None:
    assert murmur2(key) == int(their_murmur2(key)) & 0xFFFFFFFF
