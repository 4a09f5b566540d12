"""From sessions to bills: under which terms, what is sealed, invoiced, credited, and when.

* ``terms.py``: which tariff, time zone and rated power hold for a session, chosen at its start.
* ``account.py``: what is remembered of a session's bills; ``standing.py``: what the session is then.
* ``decision.py``: what a person, or a re-rating, decided; ``correction.py``: a session as a person
  corrected it.
* ``bill.py``: the content of a bill; ``settle.py``: what records do to an account;
  ``decide.py``: what a decision does; ``unpriced.py``: which sessions are not billed at all.
* ``invoice.py``, ``credit_note.py``, ``series.py``, ``printed.py``: ids, amounts, numbers, rounding.
* ``rerate.py``: sealed sessions under another tariff; ``audit.py``: invoices recomputed.

Everything is a function of its arguments: the agent brings rows and the reference, and writes what
comes back in the one step that wrote the session's records.
"""
