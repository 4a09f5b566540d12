"""`dead-letters list` and `dead-letters redrive` against Kafka."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import TopicAuthorizationFailedError
from click.testing import CliRunner, Result
from faust.cli.base import cli

import evcharge.commands.dead_letters  # noqa: F401 - registers the command
from evcharge.dead_letters import dead_letter_headers
from evcharge.kafka.log import Output, send
from evcharge.settings import Settings
from evcharge.topics.catalogue import DEAD_LETTERS
from tests.odd_batches import OddRecord, send_batch
from tests.read_topic import read_topic
from tests.remake_topic import remake_topic

pytestmark = pytest.mark.broker


def command(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["dead-letters", *arguments])


def reject(settings: Settings, *letters: Output) -> None:
    """Put dead letters into the topic, each with headers of its own already.

    Each has an append time of its own: within one millisecond nothing tells which partition was first.
    """

    async def put() -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap, max_request_size=16 << 20
        ) as producer:
            for letter in letters:
                metadata: Any = await (await send(producer, letter))
                while time.time_ns() // 1_000_000 <= metadata.timestamp:  # noqa: ASYNC110 - a clock
                    await asyncio.sleep(0)

    asyncio.run(put())


def letter(
    settings: Settings,
    value: bytes | None,
    *,
    key: bytes | None = b"EV-001",
    reason: str = "not-json",
    topic: str = "station-status",
    partition: int = 0,
    theirs: Sequence[tuple[str, bytes]] = (),
) -> Output:
    headers = dead_letter_headers(reason, "A sentence.", settings.topic(topic), 1, 7, theirs)
    return Output(settings.topic("dead-letters"), partition, key, value, headers)


def records(settings: Settings, topic: str) -> list[ConsumerRecord]:
    return asyncio.run(read_topic(settings.bootstrap, settings.topic(topic)))


def values(settings: Settings, topic: str = "station-status") -> list[bytes]:
    return sorted(record.value for record in records(settings, topic))


# ---- list


def test_the_list_shows_the_newest_last(settings: Settings) -> None:
    reject(settings, *(letter(settings, b"junk %d" % n, partition=n % 2) for n in range(5)))
    result = command("list", "--limit", "3")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.strip() for line in lines[2::3]] == ["junk 2", "junk 3", "junk 4"]
    assert "not-json" in lines[0]
    assert f"{settings.topic('station-status')} 1:7" in lines[0]
    assert "dead letter 0:1" in lines[0]


def test_the_list_can_be_narrowed_by_reason_and_topic(settings: Settings) -> None:
    reject(
        settings,
        letter(settings, b"one", reason="bad-value"),
        letter(settings, b"two", topic="charging-sessions"),
        letter(settings, b"three"),
    )
    by_reason = command("list", "--reason", "bad-value").stdout
    by_topic = command("list", "--topic", "charging-sessions").stdout
    assert "one" in by_reason
    assert "two" not in by_reason
    assert "two" in by_topic
    assert "three" not in by_topic


def test_the_list_for_programs_has_every_byte(settings: Settings) -> None:
    value = bytes(range(256))
    reject(settings, letter(settings, value), letter(settings, None, key=None))
    lines = [json.loads(line) for line in command("list", "--json").stdout.splitlines()]
    assert b64decode(lines[0]["value_base64"]) == value
    assert (lines[1]["key_base64"], lines[1]["value_base64"]) == (None, None)


def test_an_empty_list_says_so(settings: Settings) -> None:
    result = command("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no dead letters match" in result.stderr


# ---- redrive


def test_a_redriven_record_is_the_original_byte_for_byte(settings: Settings) -> None:
    value, key = bytes(range(256)), b"EV-\xff"
    theirs = [("trace", b"\x00\xff"), ("reason", b"theirs")]
    reject(settings, letter(settings, value, key=key, theirs=theirs))

    result = command("redrive")

    assert result.exit_code == 0, result.stderr
    (record,) = records(settings, "station-status")
    assert (record.key, record.value) == (key, value)
    assert list(record.headers) == [*theirs, ("redriven-from", b"0:0")]
    assert "1 dead letters sent again" in result.stderr


def test_a_null_value_and_a_null_key_stay_null(settings: Settings) -> None:
    reject(settings, letter(settings, None, key=None))
    assert command("redrive").exit_code == 0
    (record,) = records(settings, "station-status")
    assert (record.key, record.value, record.partition) == (None, None, 1)


def test_a_record_of_the_largest_size_makes_the_whole_way(settings: Settings) -> None:
    value = bytes(n % 251 for n in range(1_000_000))
    reject(settings, letter(settings, value, theirs=[("trace", b"x" * 1_000)]))
    assert command("redrive").exit_code == 0
    assert values(settings) == [value]


def test_a_second_redrive_sends_newer_ones_only(settings: Settings) -> None:
    reject(settings, letter(settings, b"a"), letter(settings, b"b", partition=1))
    command("redrive")
    reject(settings, letter(settings, b"c"))
    result = command("redrive")
    assert values(settings) == [b"a", b"b", b"c"]
    assert "1 dead letters sent again" in result.stderr
    assert "0 dead letters sent again" in command("redrive").stderr


def test_all_starts_over(settings: Settings) -> None:
    reject(settings, letter(settings, b"a"))
    command("redrive")
    command("redrive", "--all")
    assert values(settings) == [b"a", b"a"]


def test_a_redrive_of_one_reason_leaves_the_others_for_later(settings: Settings) -> None:
    reject(
        settings,
        letter(settings, b"a", reason="rule-failed"),
        letter(settings, b"b"),
        letter(settings, b"c", reason="rule-failed", topic="charging-sessions"),
    )
    command("redrive", "--reason", "rule-failed", "--topic", "station-status")
    assert values(settings) == [b"a"]
    # what is left goes with the next, and nothing goes twice
    command("redrive", "--reason", "rule-failed")
    command("redrive")
    assert values(settings) == [b"a", b"b"]
    assert values(settings, "charging-sessions") == [b"c"]


def test_chosen_dead_letters_are_sent_alone_and_again(settings: Settings) -> None:
    reject(settings, *(letter(settings, b"%d" % n) for n in range(4)))
    command("redrive", "--offset", "0:1", "--offset", "0:3", "--offset", "7:0")
    command("redrive", "--offset", "0:1")
    assert values(settings) == [b"1", b"1", b"3"]
    # and do not count as done
    command("redrive")
    assert values(settings) == [b"0", b"1", b"1", b"1", b"2", b"3", b"3"]


def test_a_dry_run_says_what_would_be_sent(settings: Settings) -> None:
    reject(settings, letter(settings, b"a"), letter(settings, b"b", reason="bad-value"))
    result = command("redrive", "--dry-run")
    assert "2 dead letters would be sent again" in result.stderr
    assert f"1 to {settings.topic('station-status')}, rejected as bad-value" in result.stderr
    assert records(settings, "station-status") == []
    command("redrive")
    assert values(settings) == [b"a", b"b"]


def test_what_names_no_device_topic_is_left_alone(settings: Settings) -> None:
    reject(settings, letter(settings, b"a", topic="invoices"), letter(settings, b"b"))
    result = command("redrive")
    assert "1 name no device topic" in result.stderr
    assert values(settings, "invoices") == []
    assert values(settings) == [b"b"]


def test_a_record_that_became_too_large_is_told_and_the_others_are_sent(
    settings: Settings,
) -> None:
    noise = b"".join(uuid.uuid4().bytes for _ in range(100_000))
    reject(settings, letter(settings, noise), letter(settings, b"b"))
    result = command("redrive")
    assert result.exit_code == 1
    assert "1 are larger than their topic takes" in result.stderr
    assert values(settings) == [b"b"]


def test_keyed_records_go_where_their_key_belongs(settings: Settings) -> None:
    keys = [b"EV-%03d" % n for n in range(20)]
    reject(settings, *(letter(settings, b"x", key=key) for key in keys))
    command("redrive")

    async def expected() -> dict[bytes, int]:
        async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
            name = settings.topic("alerts")
            return {key: (await producer.send_and_wait(name, b"{}", key)).partition for key in keys}

    partitions = {record.key: record.partition for record in records(settings, "station-status")}
    assert partitions == asyncio.run(expected())
    assert set(partitions.values()) == {0, 1}


def test_what_is_in_a_topic_made_anew_is_sent_whatever_was_sent_before(settings: Settings) -> None:
    # given marks of everything and of one reason
    reject(settings, *(letter(settings, b"old %d" % n) for n in range(3)))
    command("redrive", "--reason", "not-json")
    command("redrive")
    # when the topic is made anew and has fewer dead letters
    asyncio.run(remake_topic(settings, DEAD_LETTERS))
    reject(settings, letter(settings, b"new"))
    result = command("redrive")
    # then they are sent, and it says why
    assert result.exit_code == 0, result.stderr
    assert values(settings) == [b"new", b"old 0", b"old 1", b"old 2"]
    assert "was made anew since the last redrive" in result.stderr
    # and once more there is nothing to do and nothing to say
    again = command("redrive", "--reason", "not-json").stderr
    assert "made anew" not in again
    assert "0 dead letters sent again" in again


def test_header_names_that_are_no_text_do_not_stop_a_list_or_a_redrive(settings: Settings) -> None:
    name = settings.topic("dead-letters")
    ours = dead_letter_headers("not-json", "A sentence.", settings.topic("station-status"), 1, 7)
    odd = OddRecord(b"odd", [(b"\xff\xfe", b"x"), *((n.encode(), v) for n, v in ours)], b"EV-001")

    async def put() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
            await send_batch(producer, name, 0, [odd])

    reject(settings, letter(settings, b"before"))
    asyncio.run(put())
    reject(settings, letter(settings, b"after"), letter(settings, b"beside", partition=1))

    listed = [json.loads(line) for line in command("list", "--json").stdout.splitlines()]
    redriven = command("redrive")

    assert {b64decode(one["value_base64"]) for one in listed} == {
        b"before", b"odd", b"after", b"beside",
    }  # fmt: skip
    assert redriven.exit_code == 0, redriven.stderr
    assert values(settings) == [b"after", b"before", b"beside", b"odd"]


@pytest.mark.parametrize("action", ["list", "redrive"])
def test_what_kafka_refuses_while_it_is_read_is_one_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise TopicAuthorizationFailedError

    reject(settings, letter(settings, b"a"))
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", refuse)
    result = command(action)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"evcharge: the topic {settings.topic('dead-letters')} cannot")
    assert result.stderr.count("\n") == 1


# ---- misuse


@pytest.mark.parametrize("text", ["x", "1", "1:x", "1:", "-1:0", "1:2:3"])
def test_an_offset_that_is_none_is_one_sentence(settings: Settings, text: str) -> None:
    result = command("redrive", f"--offset={text}")
    assert result.exit_code == 1
    assert "expected PARTITION:OFFSET" in result.stderr


def test_an_option_of_the_other_action_is_refused(settings: Settings) -> None:
    result = command("list", "--dry-run")
    assert result.exit_code == 1
    assert "belong to `dead-letters redrive`" in result.stderr


def test_missing_topics_are_one_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVCHARGE_TOPIC_PREFIX", "elsewhere.")
    for action in ("list", "redrive"):
        result = command(action)
        assert result.exit_code == 1
        assert "the topic elsewhere.dead-letters does not exist" in result.stderr
