"""The independent checker: is what the workers made of the topics what the rules make of them?

It reads the device topics as they are in Kafka, computes in plain memory what should follow from them
with the pure rules (``evcharge/domain``, ``evcharge/events``), and compares that with all that the
workers wrote. Nothing of ``evcharge/engine`` is used, so that a mistake there is not repeated here;
``tests/test_arrows.py`` holds this. One step a file:

* ``topics.py`` reads partitions as a ``read_committed`` reader sees them;
* ``sources.py`` sorts device records into accepted, rejected and foreign ones, ``outputs.py`` says
  which dead letters and rerouted records there have to be;
* ``changelog.py`` rebuilds a table's rows, ``stores.py`` compares those of RocksDB with them;
* ``statuses.py`` says what the rows of stations have to be, ``sessions.py`` and ``session_rows.py``
  those of sessions, ``known.py`` is what comes of that;
* ``course.py`` follows one session: its records as they arrived (``arrivals.py``), the decisions about
  it, the dead letters of both (``letters.py``), and the papers that were written of it (``papers.py``);
* ``documents.py`` reads sealed sessions and invoices, ``bills.py`` compares all of a partition with one
  another and with their rows;
* ``asked_worker.py`` asks a worker, ``answers.py`` says what it has to answer, ``over_http.py`` compares
  the two station by station, ``across.py`` what concerns all partitions;
* ``check.py`` is the whole run, ``report.py`` what it found.
"""

from evcharge.verification.check import verify
from evcharge.verification.former import Former
from evcharge.verification.report import Report
from evcharge.verification.stores import require_stores

__all__ = ["Former", "Report", "require_stores", "verify"]
