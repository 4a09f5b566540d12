"""Billing in a step: where its rules meet rows, topics and the reference.

* ``step_desk.py``: the worker's desk, with the tariffs that only the partition's rows know.
* ``waiting.py``: the records of decisions that wait for what they are about.
* ``ledger.py``: what billing writes: sealed sessions, invoices, credit notes, numbers.
"""
