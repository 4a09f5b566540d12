"""What became of decisions: how far the workers are with them, and what they wrote."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from evcharge.domain.billing.invoice import Kind, invoice_id
from evcharge.errors import CommandError
from evcharge.kafka.scan import Scan
from evcharge.past_bills.sealed_log import records_behind, skim
from evcharge.settings import Settings
from evcharge.topics.catalogue import INVOICES, SEALED_SESSIONS, SESSION_DECISIONS

_LOOK_S = 0.5


async def ends_of(settings: Settings, topic: str) -> Mapping[int, int]:
    """Return the offset behind the last record of each partition."""
    async with Scan(settings.bootstrap, settings.topic(topic)) as scan:
        return dict(scan.ends)


async def until_taken_up(
    settings: Settings, patience_s: float, show: Callable[[int, int], None]
) -> bool:
    """Wait until the workers are done with all decisions that the log has now.

    Returns False when they have not come any further for ``patience_s`` seconds. ``show`` gets how many
    records of the log they are done with, and how many there are.

    Raises:
        CommandError: Kafka does not answer.
    """
    topic = settings.topic(SESSION_DECISIONS.name)
    ends = {
        TopicPartition(topic, number): end
        for number, end in (await ends_of(settings, SESSION_DECISIONS.name)).items()
    }
    total = sum(ends.values())
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    try:
        await admin.start()
        best, since = -1, time.monotonic()
        while True:
            # A worker commits what is durable, with its group, which has the application's name.
            done = await _done(admin, settings.app_id, ends)
            show(done, total)
            if done >= total:
                return True
            if done > best:
                best, since = done, time.monotonic()
            elif time.monotonic() - since >= patience_s:
                return False
            await asyncio.sleep(_LOOK_S)
    except KafkaError as problem:
        raise CommandError(f"Kafka does not say how far the workers are: {problem!r}") from None
    finally:
        await admin.close()


async def _done(admin: AIOKafkaAdminClient, group: str, ends: Mapping[TopicPartition, int]) -> int:
    try:
        committed = await admin.list_consumer_group_offsets(group, partitions=list(ends))
    except KafkaError:
        # Where nobody ever was in a group, Kafka has none to ask.
        return 0
    # -1: nothing yet.
    return sum(
        max(0, min(committed[tp].offset, end)) for tp, end in ends.items() if tp in committed
    )


class Written(NamedTuple):
    """What the workers made of decisions."""

    sessions: int
    """Billed anew."""
    credit_notes: int
    invoices: int


class _Document(msgspec.Struct):
    invoice_id: str


class _Decision(msgspec.Struct):
    decision_id: str


class _Bill(msgspec.Struct):
    decision: _Decision | None


_decode_document = msgspec.json.Decoder(_Document).decode
_decode_bill = msgspec.json.Decoder(_Bill).decode


async def written(
    settings: Settings,
    prefix: str,
    sealed_ends: Mapping[int, int],
    invoice_ends: Mapping[int, int],
) -> Written:
    """Count what came behind these ends for decisions whose ids begin so.

    Memory: about 300 bytes for each session of a partition that was billed anew.
    """
    sessions = credit_notes = invoices = 0
    for partition in sealed_ends:
        credited, invoiced = set[str](), set[str]()
        async for _, value in records_behind(
            settings, SEALED_SESSIONS.name, sealed_ends, partition
        ):
            skimmed = skim(value)
            if skimmed is None or not _is_of(value or b"", prefix):
                continue
            sessions += 1
            station_id, session_id, bill = skimmed.station_id, skimmed.session_id, skimmed.bill
            credited.add(invoice_id(Kind.CREDIT_NOTE, station_id, session_id, bill - 1))
            invoiced.add(invoice_id(Kind.INVOICE, station_id, session_id, bill))
        if not credited:
            continue
        async for _, value in records_behind(settings, INVOICES.name, invoice_ends, partition):
            name = _decode_document(value or b"{}").invoice_id
            credit_notes += name in credited
            invoices += name in invoiced
    return Written(sessions, credit_notes, invoices)


def _is_of(value: bytes, prefix: str) -> bool:
    decision = _decode_bill(value).decision
    return decision is not None and decision.decision_id.startswith(prefix)
