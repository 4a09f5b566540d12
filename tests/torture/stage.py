"""A deployment under torture: rounds of load and harm, each followed by the independent checker."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Iterable
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from evcharge.broker import KafkaCluster
from evcharge.demo.applied import applied
from evcharge.errors import CommandError
from evcharge.topics.catalogue import TABLES, changelog_topic
from evcharge.verification import Report, verify
from evcharge.verification.sessions import TOO_MUCH
from tests.integration.deployment import Deployment
from tests.torture.events import Fleet, Sent
from tests.torture.journal import Journal
from tests.torture.lag import lagging
from tests.torture.load import Load
from tests.torture.operator import first_words, later_words
from tests.torture.victims import Brokers, TortureError, Victim

WORKERS = 3
SESSION_TIMEOUT_S = 3
APPLIED_PATIENCE_S = 120.0
READY_PATIENCE_S = 90.0
HTTP_PATIENCE_S = 30.0
HARM_S = 10.0
AFTERWARDS_S = 1.5
"""For so long devices go on sending to what was left."""


class Stage:
    """One deployment whose state builds up over several rounds."""

    def __init__(
        self,
        cluster: KafkaCluster,
        brokers: int,
        name: str,
        directory: Path,
        chance: random.Random,
        journal: Journal,
    ) -> None:
        self._journal = journal
        self._chance = chance
        self._brokers = Brokers(cluster, brokers, journal)
        self._deployment = deployment = Deployment(cluster.bootstrap, name, directory)
        partitions = chance.choice([2, 4])
        deployment.variables |= {
            "EVCHARGE_PARTITIONS": str(partitions),
            "EVCHARGE_REPLICATION": str(brokers),
            "EVCHARGE_SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S),
            "EVCHARGE_CHUNK_RECORDS": str(chance.choice([20, 200, 2_000])),
            "EVCHARGE_MAX_SESSION_READINGS": "60",
        }
        fleet = Fleet(random.Random(chance.random()), partitions)
        self._stations = fleet.stations
        self._rate = chance.choice([300, 1_000, 2_000])
        self._load = Load(deployment.settings, fleet.events(), self._rate)
        self._victims = [
            Victim(deployment, f"worker-{number}", journal, SESSION_TIMEOUT_S)
            for number in range(1, WORKERS + 1)
        ]

    async def run(self, rounds: int, ends_at: float) -> None:
        """Torture and check, until all rounds are done or the time (monotonic) is over.

        Raises:
            TortureError: something is not as it has to be.
        """
        variables = self._deployment.variables
        about = ", ".join(f"{k.removeprefix('EVCHARGE_')}={v}" for k, v in variables.items())
        self._journal.say(f"stage: {about}, {self._rate} events/s")
        try:
            created = await asyncio.to_thread(self._deployment.command, "topics")
            if created.returncode:
                raise TortureError(f"topics could not be created: {created.stderr}")
            await self._publish(first_words(self._stations))
            for number in range(1, rounds + 1):
                await self._round(f"round {number}")
                if time.monotonic() > ends_at:
                    break
            for victim in self._victims:
                if victim.running:
                    await victim.term()
            await self._check("all stopped", None)
            await self._tell_compaction()
        finally:
            # Not as a context: it would print the logs, which are kept.
            self._deployment.__exit__(None, None, None)

    async def _round(self, name: str) -> None:
        quiet = asyncio.Event()
        chances = [random.Random(self._chance.random()) for _ in self._victims]
        brokers = random.Random(self._chance.random())
        loading = asyncio.create_task(self._load.run(quiet))
        try:
            if name == "round 2":
                await self._publish(later_words(self._stations))
            harms: list[Awaitable[None]] = [
                self._harm(victim, chance)
                for victim, chance in zip(self._victims, chances, strict=True)
            ]
            if brokers.random() < 0.3:
                harms.append(self._brokers.torture(brokers))
            await asyncio.gather(*harms)
            await self._heal()
            await asyncio.sleep(AFTERWARDS_S)
        finally:
            quiet.set()
            await loading
        await self._settle()
        asked = next((each for each in self._victims if each.running and each.ready()), None)
        await self._check(name, asked)

    async def _publish(self, words: Iterable[Sent]) -> None:
        """Publish what the operator says."""
        for word in words:
            value = word.value
            await self._deployment.produce(word.topic, [value], partition=0, key=word.key)

    async def _harm(self, victim: Victim, chance: random.Random) -> None:
        """Do one thing after the other to one place, for as long as a round takes."""
        over = time.monotonic() + HARM_S
        while time.monotonic() < over:
            await asyncio.sleep(chance.random() * 2)
            await (self._hurt if victim.running else self._join)(victim, chance)

    @staticmethod
    async def _join(victim: Victim, chance: random.Random) -> None:
        """Mostly start a worker."""
        dice = chance.random()
        if dice < 0.6:
            victim.start()
        elif dice < 0.9:
            await victim.trap_at_start(chance)

    @staticmethod
    async def _hurt(victim: Victim, chance: random.Random) -> None:
        """Do one thing to a worker that runs."""
        if chance.random() < 0.7:
            await victim.await_ready()
        dice = chance.random()
        if dice < 0.12:
            victim.kill()
            await asyncio.sleep(chance.choice([0.0, 0.0, 2.0, 5.0]))
        elif dice < 0.55:
            await victim.trap(chance)
        elif dice < 0.80:
            await victim.freeze(chance)
        elif dice < 0.92:
            await victim.term()
        else:
            victim.lose_data()

    async def _heal(self) -> None:
        """Start again what has ended by itself, as a supervisor would, and at least one worker."""
        for victim in self._victims:
            if victim.frozen:
                # It walked into its trap after we had stopped waiting for that.
                victim.worker.resume()
            if victim.ended_by_itself():
                self._journal.did("ended by itself", f"{victim.name}: {victim.last_words()}")
                victim.start()
        if not any(victim.running for victim in self._victims):
            self._victims[0].start()

    async def _settle(self) -> None:
        """Wait until everything is applied, keeping workers up as a supervisor would."""
        deadline = time.monotonic() + APPLIED_PATIENCE_S
        for _ in range(2):
            # Twice: what was rerouted in the meantime is looked at the second time.
            while not await applied(self._deployment.settings, 5.0):
                await self._heal()
                if time.monotonic() > deadline:
                    for line in await lagging(self._deployment.settings):
                        self._journal.say(f"  {line}")
                    raise TortureError(f"not applied after {APPLIED_PATIENCE_S:g} s")
        while not any(victim.running and victim.ready() for victim in self._victims):
            await self._heal()
            await asyncio.sleep(0.2)
            if time.monotonic() > deadline + READY_PATIENCE_S:
                raise TortureError("no worker is ready")

    async def _check(self, name: str, asked: Victim | None) -> None:
        began = time.monotonic()
        deadline = began + HTTP_PATIENCE_S
        stopped = [each.data for each in self._victims if not each.running and each.data.exists()]
        while True:
            report = Report()
            try:
                await verify(
                    self._deployment.settings,
                    report,
                    data_dirs=stopped,
                    url=asked.worker.url if asked else None,
                )
                break
            except CommandError as problem:
                # A member may just be leaving; an answer of a part of the partitions is no answer.
                if time.monotonic() > deadline:
                    raise TortureError(f"cannot be checked: {problem}") from None
                await asyncio.sleep(0.5)
        if lost := await self._load.missing():
            raise TortureError(f"Kafka lost records that it had acknowledged: {lost}")
        self._journal.did("check", f"after {name}: {report.summary()}")
        self._judge(report)

    def _judge(self, report: Report) -> None:
        # What was sealed tells the checker whether billing was switched off then; here it never is.
        if report.compared["sessions not billed"]:
            raise TortureError("sessions were sealed without a price")
        # Nothing is so old here that retention or a worker drops it; flooded sessions may be too long.
        if report.unchecked.keys() - {TOO_MUCH}:
            raise TortureError(f"not everything can be checked: {report.summary()}")
        if report.equal:
            return
        for line in report.lines():
            self._journal.say(line)
        raise TortureError(f"{report.differences.total()} differences")

    async def _tell_compaction(self) -> None:
        """Say how much of the changelogs compaction has removed."""
        settings = self._deployment.settings
        there = ever = 0
        async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap) as consumer:
            for table in TABLES:
                topic = settings.topic(changelog_topic(settings, table).name)
                tps = [TopicPartition(topic, number) for number in range(settings.partitions)]
                consumer.assign(tps)
                await consumer.seek_to_beginning(*tps)
                ends = await consumer.end_offsets(tps)
                ever += sum(ends.values())
                while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                    for records in (await consumer.getmany(*tps, timeout_ms=500)).values():
                        there += len(records)
        self._journal.say(f"  changelogs: {there} of {ever} offsets are left by compaction")
