"""Has the workers bill sessions under another tariff: one decision in the log for each."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Self

from evcharge.domain.billing.decision import Decision, Verdict
from evcharge.domain.billing.sealed import Sealed
from evcharge.domain.billing.terms import RatedTariff
from evcharge.events.fields import kept
from evcharge.events.session_decisions import Decided, encode_session_decision
from evcharge.kafka.publisher import Publisher
from evcharge.settings import Settings
from evcharge.topics.catalogue import SESSION_DECISIONS


def decision_prefix(tariff: RatedTariff) -> str:
    """Return how the ids of all decisions begin that bill sessions under a tariff."""
    return f"rerate-{tariff.digest}-"


def decision_id(tariff: RatedTariff, sealed: Sealed) -> str:
    """Return the id of the decision that bills a session, as its last bill has it, under a tariff.

    It is a function of these two: whoever decides the same again writes a repetition, which counts
    once.
    """
    subject = f"{sealed.station_id}\0{sealed.session_id}\0{sealed.bill}".encode()
    digest = blake2b(subject, digest_size=16, person=b"evcharge-rerate")
    return decision_prefix(tariff) + digest.hexdigest()


def decided(sealed: Sealed, tariff: RatedTariff, actor: str) -> Decided:
    """Return the decision about a session; it is about the records that its last bill is of."""
    return Decided(
        sealed.station_id,
        sealed.session_id,
        Decision(
            decision_id(tariff, sealed),
            Verdict.RERATE,
            actor,
            sealed.revision,
            None,
            # Where and when it is appended is Kafka's to say.
            -1,
            -1,
            0,
            document=tariff.document.decode(),
        ),
    )


class Decisions:
    """Writes decisions, as an async context manager; raises CommandError where Kafka refuses."""

    def __init__(
        self, settings: Settings, tariff: RatedTariff, actor: str, reason: str | None
    ) -> None:
        self._topic = settings.topic(SESSION_DECISIONS.name)
        self._tariff = tariff
        self._actor = actor
        self._reason = kept(reason)
        # Each brings the whole tariff: a batch of them is one tariff and some ids.
        self._publisher = Publisher(settings.bootstrap, compression="gzip")

    async def __aenter__(self) -> Self:
        await self._publisher.__aenter__()
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._publisher.__aexit__(*problem)

    @property
    def written(self) -> int:
        """How many Kafka has acknowledged."""
        return self._publisher.acknowledged

    async def write(self, sealed: Sealed) -> None:
        """Hand over the decision about a session."""
        made = decided(sealed, self._tariff, self._actor)
        value = encode_session_decision(made, time.time_ns() // 1_000, reason=self._reason)
        await self._publisher.send(self._topic, sealed.station_id, value)

    async def flush(self) -> None:
        """Return once Kafka has acknowledged all."""
        await self._publisher.flush()
