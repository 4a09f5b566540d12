"""Reads the record batches of a fetch, a list of records with one call.

aiokafka hands out what it has fetched through a generator that makes a large object of each record: that
is half of what it costs to consume one. Here its record batches are read directly. Which of them are
read, which are passed, and where the partition stands after each is as in ``PartitionRecords``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult
from aiokafka.errors import CorruptRecordException

from evcharge.engine.chunk import FirstArrival


def take(fetched: FetchResult, most: int) -> list[FirstArrival]:
    """Return the next records of a fetch, ``most`` at most, and move the partition behind them.

    Nothing comes when nothing is left, or when the partition was taken away, paused, or positioned
    elsewhere since it was fetched: then the fetch ``has_more`` no longer.

    Raises:
        CorruptRecordException: its bytes are not those that were sent, or make no records.
        UnicodeDecodeError: aiokafka cannot read the name of a header.

    After an error the partition stands where it stood, and the fetch ``has_more`` no longer.
    """
    place = fetched._topic_partition  # noqa: SLF001 - aiokafka has no other way to it
    if not fetched.has_more() or not fetched.check_assignment(place):
        return []
    reader = fetched._partition_records  # noqa: SLF001
    if not isinstance(reader, BatchReader):
        reader = BatchReader(reader)
    # What is read before an error is lost with it: it must be fetched again.
    fetched._partition_records = None  # noqa: SLF001
    records = reader.read(most)
    fetched._partition_records = reader  # noqa: SLF001
    fetched._update_position()  # noqa: SLF001
    if len(records) < most:
        fetched._partition_records = None  # noqa: SLF001
    return records


class BatchReader:
    """Takes the place of the ``PartitionRecords`` in a ``FetchResult``."""

    def __init__(self, unread: Any) -> None:
        """``unread`` is a ``PartitionRecords`` of which nothing was taken."""
        # It and its generator, which nobody asks now, hold each other: what was fetched would stay in
        # memory until the garbage collector comes, which is seldom (``collector.py``).
        unread._records_iterator = None  # noqa: SLF001
        self._unread = unread
        self._partition: int = unread._tp.partition  # noqa: SLF001
        self._batch: Any = None
        """The batch that is being read, if any."""
        self._rest: Iterator[Any] = iter(())
        """The records of it that were not read yet."""
        self.next_fetch_offset: int = unread.next_fetch_offset
        """Where the partition goes on behind what was read."""

    def read(self, most: int) -> list[FirstArrival]:
        """Return the next records, fewer than ``most`` only at the end.

        Raises:
            CorruptRecordException: as in :func:`take`.
            UnicodeDecodeError: as in :func:`take`.
        """
        records: list[FirstArrival] = []
        partition = self._partition
        while (wanted := most - len(records)) and (self._batch is not None or self._open_next()):
            read = [
                FirstArrival(
                    each.key,
                    each.value,
                    each.timestamp,
                    partition,
                    each.offset,
                    each.headers or (),
                )
                for each in islice(self._rest, wanted)
            ]
            is_over = len(read) < wanted
            if read and read[0].offset < self.next_fetch_offset:
                # Kafka sends whole batches, and the fetch began inside of one.
                read = [record for record in read if record.offset >= self.next_fetch_offset]
            records += read
            if is_over:
                # Compaction may have removed the last records, but not their offsets.
                self.next_fetch_offset = self._batch.next_offset
                self._batch = None
            elif read:
                self.next_fetch_offset = read[-1].offset + 1
        return records

    def _open_next(self) -> bool:
        """Whether there is another batch to read; those that nobody may see are passed."""
        unread = self._unread
        batches = unread._records  # noqa: SLF001
        while batches.has_next():
            batch = batches.next_batch()
            if unread._check_crcs and not batch.validate_crc():  # noqa: SLF001
                raise CorruptRecordException(f"Invalid CRC - {unread._tp}")  # noqa: SLF001
            if not self._is_hidden(batch):
                self._batch = batch
                # A batch can be asked for its iterator once, and `islice` asks whatever it gets.
                self._rest = chain(batch)
                return True
            self.next_fetch_offset = batch.next_offset
        return False

    def _is_hidden(self, batch: Any) -> bool:
        """Whether a batch is a marker of transactions or, as far as that matters, aborted."""
        is_marker: bool = batch.is_control_batch
        if not is_marker and not batch.is_transactional:
            return False
        unread = self._unread
        if unread._isolation_level == READ_COMMITTED:  # noqa: SLF001
            unread._consume_aborted_up_to(batch.base_offset)  # noqa: SLF001
            producer, aborted = batch.producer_id, unread._aborted_producers  # noqa: SLF001
            if not is_marker:
                return producer in aborted
            if unread._contains_abort_marker(batch):  # noqa: SLF001
                aborted.discard(producer)
        return is_marker
