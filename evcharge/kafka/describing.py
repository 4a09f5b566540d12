"""Requests that aiokafka does not have: what brokers know of transactions and of producers.

DescribeTransactions (KIP-664) asks a transaction's coordinator, DescribeProducers a partition's leader.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

_TEXT = CompactString("utf-8")
_TAGS = ("tags", TaggedFields)


def _list_of(*fields: tuple[str, object]) -> Array:
    return CompactArray(*fields, _TAGS)


class _TransactionsAnswer(Response):  # type: ignore[misc]
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transactions",
            _list_of(
                ("error_code", Int16),
                ("transactional_id", _TEXT),
                ("state", _TEXT),
                ("timeout_ms", Int32),
                ("start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("topics", _list_of(("topic", _TEXT), ("partitions", CompactArray(Int32)))),
            ),
        ),
        _TAGS,
    )


class _TransactionsQuestion(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 65
    API_VERSION = 0
    RESPONSE_TYPE = _TransactionsAnswer
    SCHEMA = Schema(("transactional_ids", CompactArray(_TEXT)), _TAGS)


class DescribeTransactions(Request[_TransactionsQuestion]):  # type: ignore[misc]
    """Asks a coordinator what became of the last transaction of one transactional id."""

    API_KEY = 65

    def __init__(self, transactional_id: str) -> None:
        self._transactional_id = transactional_id

    def build(self, request_struct_class: type[_TransactionsQuestion]) -> _TransactionsQuestion:
        return request_struct_class([self._transactional_id], {})


class _ProducersAnswer(Response):  # type: ignore[misc]
    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            _list_of(
                ("name", _TEXT),
                (
                    "partitions",
                    _list_of(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", _TEXT),
                        (
                            "producers",
                            _list_of(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("first_open_offset", Int64),
                            ),
                        ),
                    ),
                ),
            ),
        ),
        _TAGS,
    )


class _ProducersQuestion(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 61
    API_VERSION = 0
    RESPONSE_TYPE = _ProducersAnswer
    SCHEMA = Schema(
        ("topics", _list_of(("name", _TEXT), ("partitions", CompactArray(Int32)))),
        _TAGS,
    )


class DescribeProducers(Request[_ProducersQuestion]):  # type: ignore[misc]
    """Asks a leader who produces to partitions, and where the open transaction of each begins."""

    API_KEY = 61

    def __init__(self, topics: Sequence[tuple[str, Sequence[int]]]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_ProducersQuestion]) -> _ProducersQuestion:
        return request_struct_class([(name, list(these), {}) for name, these in self._topics], {})
