"""What the lane leans on in Faust and aiokafka, and no public interface promises.

If a release changes one of these underneath, this fails, before anything subtle does.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.consumer.fetcher import Fetcher as AioFetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, Fetcher
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.threads import QueueServiceThread, ServiceThread

from evcharge.engine.consumer import ChunkConsumer
from evcharge.engine.consumer_driver import ConsumerDriver
from evcharge.engine.recovery import BulkRecovery


@pytest.mark.parametrize(
    ("owner", "method", "parameters"),
    [
        (Consumer, "_drain_messages", ["self", "fetcher"]),
        (Consumer, "_filter_tps_with_pending_acks", ["self", "topics"]),
        (Consumer, "_new_offset", ["self", "tp"]),
        (Consumer, "ack", ["self", "message"]),
        (Consumer, "on_partitions_revoked", ["self", "revoked"]),
        (Consumer, "on_task_error", ["self", "exc"]),
        (driver.Consumer, "_new_consumer_thread", ["self"]),
        (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"]),
        (driver.AIOKafkaConsumerThread, "_ensure_consumer", ["self"]),
        (driver.AIOKafkaConsumerThread, "seek_wait", ["self", "partitions"]),
        (driver.ConsumerRebalanceListener, "on_partitions_assigned", ["self", "assigned"]),
        (faust.Topic, "_compile_decode", ["self"]),
        (faust.Table, "_new_store", ["self"]),
        (faust.App, "_new_transport", ["self"]),
        (faust.App, "worker_init_post_autodiscover", ["self"]),
        (QueueServiceThread, "call_thread", ["self", "fun", "args"]),
        (QueueServiceThread, "on_thread_stop", ["self"]),
        (FetchResult, "has_more", ["self"]),
        (FetchResult, "check_assignment", ["self", "tp"]),
        (FetchResult, "_update_position", ["self"]),
        (PartitionRecords, "_consume_aborted_up_to", ["self", "batch_offset"]),
        (PartitionRecords, "_contains_abort_marker", ["self", "next_batch"]),
        (AioFetcher, "_notify", ["self", "future"]),
        (AioFetcher, "_create_fetch_waiter", ["self"]),
        (AioFetcher, "_select_read_replica", ["self", "tp"]),
        (FetchResult, "calculate_backoff", ["self"]),
        (aiokafka.AIOKafkaProducer, "send_batch", ["self", "batch", "topic", "partition"]),
    ],
)
def test_an_overridden_or_used_method_still_takes_what_we_know(
    owner: type, method: str, parameters: list[str]
) -> None:
    signature = inspect.signature(getattr(owner, method))
    assert [name for name in signature.parameters if name != "kwargs"] == parameters


def test_the_recovery_loop_that_we_replace_is_still_a_task_of_fausts() -> None:
    replaced = vars(Recovery)["_restart_recovery"]
    assert type(replaced) is type(vars(BulkRecovery)["_restart_recovery"])
    assert type(replaced) is type(Service.task(_nothing))
    assert isinstance(inspect.getattr_static(TableManager, "recovery"), property)


def test_our_consumer_starts_and_stops_as_a_service_does_and_not_as_a_thread() -> None:
    source = inspect.getsource(ServiceThread)
    for used in (
        "_default_start()",
        "on_thread_stop()",
        "_default_stop_children()",
        "_default_stop_futures()",
        "_default_stop_exit_stacks()",
        "_thread_started",
        "thread_loop or asyncio.new_event_loop()",
    ):
        assert used in source, used


def test_the_intake_finds_what_aiokafka_has_fetched() -> None:
    source = inspect.getsource(AioFetcher)
    for used in (
        "self._records = collections.OrderedDict()",
        "self._wait_consume_future",
        "self._prefetch_backoff",
        "self._fetch_min_bytes",
        "self._fetch_max_wait_ms",
        "reassignment_in_progress",
        "del self._records[tp]",
    ):
        assert used in source, used
    assert "fetch_context" in inspect.getsource(aiokafka.AIOKafkaConsumer.getmany)


def code_of(function: Any) -> str:
    """Return what is executed of a function, whatever its comments and its logging say."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        for block in ("body", "orelse"):
            kept = getattr(node, block, [])
            if isinstance(kept, list):
                setattr(node, block, [s for s in kept if "log.debug" not in ast.unparse(s)[:9]])
    return ast.unparse(tree)


UNPACK_RECORDS = """
def _unpack_records(self):
    tp = self._tp
    records = self._records
    while records.has_next():
        next_batch = records.next_batch()
        if self._check_crcs and (not next_batch.validate_crc()):
            raise Errors.CorruptRecordException(f'Invalid CRC - {tp}')
        if self._isolation_level == READ_COMMITTED and next_batch.producer_id is not None:
            self._consume_aborted_up_to(next_batch.base_offset)
            if next_batch.is_control_batch and self._contains_abort_marker(next_batch):
                self._aborted_producers.discard(next_batch.producer_id)
            if next_batch.is_transactional and next_batch.producer_id in self._aborted_producers:
                self.next_fetch_offset = next_batch.next_offset
                continue
        if next_batch.is_control_batch:
            self.next_fetch_offset = next_batch.next_offset
            continue
        for record in next_batch:
            if record.offset < self.next_fetch_offset:
                continue
            consumer_record = self._consumer_record(tp, record)
            self.next_fetch_offset = record.offset + 1
            yield consumer_record
        self.next_fetch_offset = next_batch.next_offset
"""

GETALL = """
def getall(self, max_records=None):
    tp = self._topic_partition
    if not self.check_assignment(tp) or not self.has_more():
        return []
    ret_list = []
    for msg in self._partition_records:
        ret_list.append(msg)
        if max_records is not None and len(ret_list) >= max_records:
            self._update_position()
            break
    else:
        self._update_position()
        self._partition_records = None
    return ret_list
"""


def test_the_batch_reader_still_does_all_that_aiokafka_does() -> None:
    assert code_of(PartitionRecords._unpack_records) == UNPACK_RECORDS.strip()
    assert code_of(FetchResult.getall) == GETALL.strip()
    made = inspect.getsource(PartitionRecords.__init__)
    assert "self._records_iterator = self._unpack_records()" in made
    for method in (FetchResult.check_assignment, FetchResult._update_position):
        assert "self._partition_records.next_fetch_offset" in inspect.getsource(method)


def test_the_coordinator_of_the_group_is_still_where_static_members_differ() -> None:
    for owner, used in (
        (GroupCoordinator, "resp = await self._client.send("),
        (GroupCoordinator, "await self._maybe_leave_group()"),
        (GroupCoordinator, "success = await self._do_rejoin_group(subscription)"),
        (GroupCoordinator, "assignor.on_assignment(assignment)"),
        (aiokafka.AIOKafkaConsumer, "self._coordinator = GroupCoordinator("),
        (PartitionAssignor, "assert metadata.url == str(self._url)"),
    ):
        assert used in inspect.getsource(owner), used


def test_the_table_manager_starts_with_what_we_do_and_only_sleeps_before() -> None:
    body = inspect.getsource(TableManager.on_start)
    statements = [line.strip() for line in body.splitlines()[2:]]
    assert statements == [
        "await self.sleep(1.0)",
        "if not self.should_stop:",
        "await self._update_channels()",
        "await self.recovery.start()",
    ]


async def _nothing(self: Any) -> None: ...


def test_acks_still_reach_our_consumer_and_not_fausts_bookkeeping() -> None:
    source = inspect.getsource(faust.types.tuples.ConsumerMessage.on_final_ack)
    assert "consumer.ack(self)" in source
    assert ChunkConsumer.ack is not Consumer.ack


def test_the_fetcher_still_runs_the_loop_that_we_replace() -> None:
    assert "_drain_messages" in inspect.getsource(Fetcher)


def test_faust_still_calls_what_the_recovery_signals() -> None:
    source = inspect.getsource(Recovery)
    for used in (
        "signal_recovery_start",
        "_generation_id",
        "active_tps",
        "_set_recovery_started",
        "_set_recovery_ended",
        "flow_control.resume()",
        "consumer.resume_flow()",
        "_fetcher.maybe_start()",
        "on_actives_ready()",
        "on_standbys_ready()",
        "on_rebalance_end()",
        "completed.set()",
    ):
        assert used in source, used


def test_the_consumer_still_suspends_and_resumes_as_we_rely_on() -> None:
    for name in ("flow_active", "can_resume_flow", "suspend_flow", "_unacked_messages"):
        assert name in inspect.getsource(Consumer), name
    assert "wait_empty" in inspect.getsource(faust.App._on_partitions_revoked) or (
        "_consumer_wait_empty" in inspect.getsource(faust.App._on_partitions_revoked)
    )
    assert issubclass(ConsumerDriver, driver.AIOKafkaConsumerThread)
