"""`rerate`: a past period under a corrected tariff, or its invoices audited."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from evcharge.commands.base import ProjectCommand, option, say
from evcharge.commands.input_file import read_input
from evcharge.commands.progress import Progress
from evcharge.domain.billing.rerate import RerateReport
from evcharge.domain.billing.series import Issuer
from evcharge.domain.identifiers import ID_WORDS, is_id
from evcharge.domain.quantities import DAY_US
from evcharge.errors import CommandError
from evcharge.past_bills.auditing import Audit
from evcharge.past_bills.decisions import Decisions, decision_prefix
from evcharge.past_bills.issuer_file import read_issuer
from evcharge.past_bills.outcome import ends_of, until_taken_up, written
from evcharge.past_bills.period import Period, read_period
from evcharge.past_bills.rerating import Priced, Wish, price_anew
from evcharge.past_bills.sealed_log import SealedLog
from evcharge.past_bills.tariff_file import read_tariff
from evcharge.past_bills.telling import as_json, as_text, audit_json
from evcharge.settings import Settings
from evcharge.topics.catalogue import INVOICES, SEALED_SESSIONS
from evcharge.verification.report import Report


class Rerate(ProjectCommand):
    """Price the sessions of a past period under a corrected tariff, or audit its invoices.

    With --tariff it prices every session anew that started in the period, as it was billed last, and
    prints what that changes. Nothing is written without --apply. With it, each session that comes to
    another total gets a decision in `session-decisions`, and the workers write a credit note and a new
    invoice. Interrupt and repeat it as you like: what was billed under the tariff already is not billed
    again.

    Sessions of all tariffs are re-rated; --tariff-id narrows it to those billed under one. Left out are
    sessions at whose start the new tariff, by its own dates, is not valid, and those that workers have
    forgotten (EVCHARGE_SESSION_MEMORY_DAYS).

    Without --tariff it is an audit: every invoice and credit note of the period is computed anew from
    the terms that were stored with its session, all numbers are counted, and what differs is printed.
    Exits with 1 if anything does. Whom invoices name as their issuer is compared with
    EVCHARGE_ISSUER_NAME, …_ADDRESS and …_VAT_ID; if these were others once, give them with
    --former-issuer.

    For instance

    \b
    python -m evcharge rerate --tariff t1.json --from 2026-01-01 --to 2026-02-01
    python -m evcharge rerate --tariff t1.json --from 2026-01-01 --to 2026-02-01 --apply
    python -m evcharge rerate --from 2026-01-01 --to 2026-02-01
    """  # noqa: D301 - \b is click's mark for lines that stay as they are

    options = [  # noqa: RUF012 - declared as Faust does
        option("--tariff", metavar="FILE", help="OCPI 2.2.1 Tariff; - is standard input."),
        option(
            "--from",
            "since",
            metavar="T",
            help="First start of a session: RFC 3339, or a date, which begins in"
            " EVCHARGE_DEFAULT_TIME_ZONE.",
        ),
        option(
            "--to", "until", metavar="T", help="Sessions that start then or later are left out."
        ),
        option(
            "--tariff-id",
            "tariff_ids",
            multiple=True,
            metavar="ID",
            help="Only sessions that were billed under this tariff; may be repeated.",
        ),
        option(
            "--former-issuer",
            "former_issuers",
            multiple=True,
            metavar="FILE",
            help="Audit: JSON of an issuer that the settings named once, as in an invoice: name,"
            " address, vat_id; may be repeated.",
        ),
        option("--apply", "is_applied", is_flag=True, help="Have the workers bill it so."),
        option(
            "--actor",
            default="rerate",
            show_default=True,
            help="Who decides, as the decisions name it: an id, no name of a person.",
        ),
        option("--reason", help="Why, in your words; 200 characters are kept with each decision."),
        option(
            "--wait",
            type=click.FloatRange(min=0),
            default=60.0,
            show_default=True,
            help="--apply: seconds without any progress of the workers after which it ends.",
        ),
        option(
            "--top",
            type=click.IntRange(0, 10_000),
            default=20,
            show_default=True,
            help="How many of the biggest differences are shown.",
        ),
        option("--json", "is_json", is_flag=True, help="Print the report as one JSON object."),
    ]

    async def run(
        self,
        tariff: str | None,
        since: str | None,
        until: str | None,
        tariff_ids: tuple[str, ...],
        former_issuers: tuple[str, ...],
        is_applied: bool,
        actor: str,
        reason: str | None,
        wait: float,
        top: int,
        is_json: bool,
        **_: Any,
    ) -> int | None:
        """Re-rate or audit."""
        settings = self.settings
        period = read_period(since, until, settings.default_time_zone)
        if tariff is None:
            if is_applied or tariff_ids:
                raise CommandError(
                    "--apply and --tariff-id belong to a re-rating: --tariff is missing"
                )
            issuers = [read_issuer(*read_input(file)) for file in former_issuers]
            return await audit(settings, period, issuers, is_json=is_json or self.json)
        if former_issuers:
            raise CommandError("--former-issuer belongs to an audit, which has no --tariff")
        if not period.is_bounded:
            raise CommandError(
                "a re-rating needs --from and --to: sessions that start between are meant"
            )
        if not is_id(actor):
            raise CommandError(f"--actor {actor!r} is not {ID_WORDS}")
        wish = Wish(
            read_tariff(*read_input(tariff)),
            period,
            frozenset(tariff_ids),
            remembered_since_us=time.time_ns() // 1_000 - settings.session_memory_days * DAY_US,
        )
        priced = Priced(RerateReport(top))
        if not is_applied:
            await look(settings, wish, priced)
            return tell(wish, priced, is_json=is_json or self.json)
        sealed_ends = await ends_of(settings, SEALED_SESSIONS.name)
        invoice_ends = await ends_of(settings, INVOICES.name)
        async with Decisions(settings, wish.tariff, actor, reason) as decisions:
            await look(settings, wish, priced, decisions)
            code = tell(wish, priced, is_json=is_json or self.json)
            say(
                f"{decisions.written:,} decisions written: {priced.report.credit_notes:,} credit"
                f" notes and {priced.report.invoices:,} invoices follow"
            )
        if decisions.written and await follow(settings, wait):
            done = await written(settings, decision_prefix(wish.tariff), sealed_ends, invoice_ends)
            say(
                f"the workers have billed {done.sessions:,} sessions anew: {done.credit_notes:,} credit"
                f" notes, {done.invoices:,} invoices"
            )
            if rest := decisions.written - done.sessions:
                say(
                    f"{rest:,} decisions came to nothing: overtaken by others, or refused"
                    " (`dead-letters list --topic session-decisions`)"
                )
        return code


async def look(
    settings: Settings, wish: Wish, priced: Priced, decisions: Decisions | None = None
) -> None:
    """Price what is meant and show how far that is; write decisions about what would change.

    Raises:
        CommandError: Kafka does not answer.
    """
    with Progress(1_000) as progress:

        def show(done: int, total: int) -> None:
            if progress.due:
                sessions = priced.report.sessions
                progress.update(1_000 * done // total, f"{sessions:,} sessions priced")

        async with SealedLog(settings, show) as log:
            try:
                await price_anew(log, wish, priced, None if decisions is None else decisions.write)
                if decisions is not None:
                    await decisions.flush()
            except asyncio.CancelledError:
                progress.clear()
                if decisions is not None:
                    say(
                        f"interrupted: {decisions.written:,} decisions are known to be written; run it"
                        " again to write all, repeated ones count once"
                    )
                raise


def tell(wish: Wish, priced: Priced, *, is_json: bool) -> int:
    """Print the report, say what could not be read, and return the exit code."""
    lines = [json.dumps(as_json(wish, priced))] if is_json else as_text(wish, priced)
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    if priced.unreadable:
        say(
            f"{priced.unreadable:,} records of sealed-sessions cannot be read and were left out; the"
            f" first one is at {priced.first_unreadable}"
        )
    return 1 if priced.unreadable else 0


async def follow(settings: Settings, patience_s: float) -> bool:
    """Wait for the workers, and say so if they come no further; returns whether they are done."""
    with Progress(1_000) as progress:
        done = await until_taken_up(
            settings,
            patience_s,
            lambda done, total: progress.update(
                1_000 * done // total, f"workers: {done:,} of {total:,} decisions taken up"
            ),
        )
    if not done:
        say(
            f"the workers have come no further for {patience_s:g} s: the decisions are in the log, and"
            " are billed as soon as a worker runs. The same command without --apply then finds nothing"
            " that would be billed anew"
        )
    return done


async def audit(
    settings: Settings, period: Period, former_issuers: Sequence[Issuer], *, is_json: bool
) -> int:
    """Audit, print what differs, and return the exit code."""
    report = Report()
    with Progress(1_000) as progress:
        await Audit(settings, period, report, former_issuers).run(
            lambda done, total: progress.update(
                1_000 * done // total, f"{done:,} of {total:,} records read"
            )
        )
    for line in [json.dumps(audit_json(period, report))] if is_json else report.lines():
        sys.stdout.write(line + "\n")
    say(f"sessions that started {period}: {report.summary()}")
    say("no differences" if report.equal else f"{report.differences.total():,} differences")
    return 0 if report.equal else 1
