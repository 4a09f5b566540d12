"""evcharge: the stream-processing back end of an EV charging network.

The flow, in reading order::

    station-status     -> agents/station_status.py    -> tables/station_status.py    -.
    charging-sessions  -> agents/charging_sessions.py -> tables/charging_sessions.py -+-> evcharge/web
    stations, tariffs  -> evcharge/reference (every worker reads them whole) ---------'

* ``topics/`` names every topic once, ``worker.py`` is the roster that puts the parts together into the
  ``application.py`` that ``settings/`` describes.
* ``events/`` says what may arrive, ``domain/`` holds the business rules (pure functions of state and
  records), ``dead_letters/`` keeps what was rejected.
* ``engine/`` is the lane that carries chunks of records through the agents to ``kafka/`` (Kafka itself),
  ``storage/`` (rows in RocksDB) and back.
* ``web/`` answers over HTTP, ``commands/`` are the command line.
* To try it out and to test: ``broker/`` runs a Kafka, ``replay/`` and ``simulation/`` make events,
  ``demo/`` is all of it at once, ``testing.py`` the application in memory.
* ``verification/`` computes anew what follows from the device topics and compares it with what is there.
* ``documents/`` writes the reference documents from the code.

``evcharge.app`` is built on first use, so that importing ``evcharge.domain`` never loads Faust.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evcharge.application import Application

    app: Application

# `agents` and `tables` are plain packages beside this one, and PyPI has distributions of both names:
# the checkout must come first (docs/adr/0001). Also if it does already: the `faust` script puts the
# working directory there while it imports the -A module, and then takes one entry of it off again.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Build the Faust application when ``evcharge.app`` is first asked for."""
    if name == "app":
        from evcharge.worker import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
