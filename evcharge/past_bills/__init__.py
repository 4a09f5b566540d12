"""What was billed, read back: re-rated under another tariff (or asked what if), and audited.

* ``sealed_log.py``: ``sealed-sessions`` up to the end that it has now, and which bills count.
* ``period.py``: which sessions are meant; ``tariff_file.py``: under which tariff;
  ``issuer_file.py``: whom the settings named once.
* ``rerating.py``: prices the sessions of a period anew; ``decisions.py``: has the workers bill them so;
  ``outcome.py``: what became of that; ``telling.py``: the report.
* ``auditing.py``: recomputes every invoice of a period; ``documents.py``: the invoices meanwhile.

Nothing here writes an invoice: that is for the workers, whose decisions these are.
"""
