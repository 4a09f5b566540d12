"""`what-if`: what a period would have earned under a tariff."""

from __future__ import annotations

from typing import Any

import click

from evcharge.commands.base import ProjectCommand, option
from evcharge.commands.input_file import read_input
from evcharge.commands.rerate import look, tell
from evcharge.domain.billing.rerate import RerateReport
from evcharge.past_bills.period import read_period
from evcharge.past_bills.rerating import Priced, Wish
from evcharge.past_bills.tariff_file import read_tariff


class what_if(ProjectCommand):  # noqa: N801 - Faust names the command after the class
    """Say what the sessions of a period would have earned under a tariff. Nothing is written.

    Every session that started in the period is priced as `rerate` would price it, and the totals are
    compared with what was billed. The tariff's own dates (start_date_time, end_date_time) play no part:
    it may be one for next year.

    Example: python -m evcharge what-if --tariff next.json --from 2026-01-01 --to 2026-02-01
    """

    options = [  # noqa: RUF012 - declared as Faust does
        option(
            "--tariff",
            metavar="FILE",
            required=True,
            help="OCPI 2.2.1 Tariff; - is standard input.",
        ),
        option(
            "--from",
            "since",
            metavar="T",
            help="First start of a session: RFC 3339, or a date, which begins in"
            " EVCHARGE_DEFAULT_TIME_ZONE.  [default: the first one]",
        ),
        option(
            "--to",
            "until",
            metavar="T",
            help="Sessions that start then or later are left out.  [default: none]",
        ),
        option(
            "--tariff-id",
            "tariff_ids",
            multiple=True,
            metavar="ID",
            help="Only sessions that were billed under this tariff; may be repeated.",
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
        tariff: str,
        since: str | None,
        until: str | None,
        tariff_ids: tuple[str, ...],
        top: int,
        is_json: bool,
        **_: Any,
    ) -> int:
        """Price and tell."""
        settings = self.settings
        period = read_period(since, until, settings.default_time_zone)
        rated = read_tariff(*read_input(tariff))
        wish = Wish(rated, period, frozenset(tariff_ids), heeds_validity=False)
        priced = Priced(RerateReport(top))
        await look(settings, wish, priced)
        return tell(wish, priced, is_json=is_json or self.json)
