"""The roster: which agent writes which table, and what else the program consists of."""

from __future__ import annotations

import sys

from agents.charging_sessions import assemble_charging_sessions
from agents.session_decisions import take_session_decisions
from agents.station_status import follow_station_status
from evcharge.application import Application
from evcharge.billing.books import Books
from evcharge.billing.ledger import Ledger
from evcharge.commands import roster
from evcharge.domain.session import Limits
from evcharge.errors import SettingError
from evcharge.settings import Settings
from evcharge.web.serve import serve_web
from tables import charging_sessions, station_status


def build(settings: Settings, *, in_memory: bool = False) -> Application:
    """Put the application together.

    ::

        station-status    -> agents/station_status.py    -> tables/station_status.py
        charging-sessions -> agents/charging_sessions.py -> tables/charging_sessions.py
        session-decisions -> agents/session_decisions.py -> tables/charging_sessions.py
        both tables and the register -> evcharge/web

    The commands besides ``worker`` are in ``evcharge/commands/roster.py``.
    """
    application = Application(settings, in_memory=in_memory)
    follow_station_status(application, application.state_table(station_status.NAME))
    sessions = application.state_table(charging_sessions.NAME)
    books = Books(
        application.desk,
        Ledger(settings, application.lane_of),
        Limits.of(settings),
        is_billing=settings.billing,
    )
    assemble_charging_sessions(application, sessions, books)
    take_session_decisions(application, sessions, books)
    serve_web(application)
    return application


__all__ = ["app", "build", "roster"]

try:
    app = build(Settings.from_env())
except SettingError as problem:
    sys.stderr.write(f"evcharge: {problem}\n")
    raise SystemExit(problem.exit_code) from None
