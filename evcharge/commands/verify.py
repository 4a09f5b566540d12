"""`verify`: checks from outside that the tables and outputs are what the rules make of the topics."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from evcharge.commands.base import ProjectCommand, option, say
from evcharge.commands.input_file import read_input
from evcharge.commands.progress import Progress
from evcharge.errors import CommandError
from evcharge.past_bills.issuer_file import read_issuer
from evcharge.past_bills.tariff_file import read_tariff
from evcharge.settings import texts
from evcharge.verification import Former, Report, require_stores
from evcharge.verification import verify as check


class Verify(ProjectCommand):
    """Check the tables and outputs against the device topics, independently of the workers.

    Reads the topics, computes in memory what has to follow from them, and compares: the tables as
    their changelogs hold them, dead letters and rerouted records (each exactly once), and if asked for
    the RocksDB of stopped workers and the answers of a running one. It changes nothing.

    Devices have to be silent and workers done with all that was sent, with the same settings as here.
    What follows from records that retention has removed is left out, and counted. If
    EVCHARGE_DEFAULT_TARIFF, EVCHARGE_CURRENCY or EVCHARGE_DEFAULT_TIME_ZONE said something else once,
    give that with --former-default-tariff and --former-time-zone; if the issuer of invoices was another
    one, with --former-issuer.

    Prints what differs and exits with 1 if anything does. If it cannot go on, it prints what it has
    found by then.
    """

    options = [  # noqa: RUF012 - declared as Faust does
        option(
            "--data",
            "data_dirs",
            multiple=True,
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Data directory of a stopped worker; may be repeated.",
        ),
        option("--url", help="A running worker, such as http://127.0.0.1:6066."),
        option(
            "--sample",
            type=click.IntRange(1),
            help="With --url: ask about so many stations and users only, the same ones each time.",
        ),
        option(
            "--former-default-tariff",
            "former_tariffs",
            multiple=True,
            metavar="FILE",
            help="OCPI 2.2.1 Tariff that was the default one once; may be repeated.",
        ),
        option(
            "--former-time-zone",
            "former_time_zones",
            multiple=True,
            metavar="ZONE",
            help="Time zone that EVCHARGE_DEFAULT_TIME_ZONE named once; may be repeated.",
        ),
        option(
            "--former-issuer",
            "former_issuers",
            multiple=True,
            metavar="FILE",
            help="JSON of an issuer that the settings named once, as in an invoice: name, address,"
            " vat_id; may be repeated.",
        ),
    ]

    async def run(
        self,
        data_dirs: tuple[Path, ...],
        url: str | None,
        sample: int | None,
        former_tariffs: tuple[str, ...],
        former_time_zones: tuple[str, ...],
        former_issuers: tuple[str, ...],
        **_: Any,
    ) -> int | None:
        """Check and report."""
        for name in former_time_zones:
            require_zone(name)
        tariffs = [read_tariff(*read_input(file)).document for file in former_tariffs]
        issuers = [read_issuer(*read_input(file)) for file in former_issuers]
        for directory in data_dirs:
            require_stores(directory, self.settings)
        report, is_whole = Report(), False
        try:
            with Progress(None) as progress:
                await check(
                    self.settings,
                    report,
                    data_dirs=data_dirs,
                    url=url,
                    sample=sample,
                    former=Former(tariffs, former_time_zones, issuers),
                    progress=lambda done, what: progress.update(
                        done, f"{done:,} records read, {what}"
                    ),
                )
            is_whole = True
        finally:
            tell(report, is_whole=is_whole)
        return 0 if report.equal else 1


def require_zone(name: str) -> None:
    """Check that there is a time zone of this name.

    Raises:
        CommandError: there is none.
    """
    try:
        texts.zone(name)
    except ValueError as wanted:
        raise CommandError(f"--former-time-zone {name!r} is not {wanted}") from None


def tell(report: Report, *, is_whole: bool) -> None:
    """Print what differs, and say what was compared; ``is_whole``: that was all."""
    for line in report.lines():
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    say(report.summary())
    equal = "equal, as far as it could be checked" if report.unchecked else "equal"
    found = equal if report.equal else f"{report.differences.total():,} differences"
    say(found if is_whole else f"incomplete, the check has ended early: {found} so far")
