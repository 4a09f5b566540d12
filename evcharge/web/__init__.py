"""The HTTP interface: what the tables and the register say, asked of any worker, and the pages.

In reading order: ``routes.py`` lists every endpoint, ``stations.py``, ``sessions.py``, ``invoices.py``
answer, ``owners.py`` finds the worker that can, ``state.py`` is all that the answers are made from.
``decisions.py`` alone writes: to the log, never to a table. Handlers are plain aiohttp handlers beside
Faust's own views: Faust's view classes would bring their own error format and their own routing, which
takes no body apart and cannot merge lists.
"""
