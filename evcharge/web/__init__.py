"""The HTTP interface: reads of the tables and the register, asked of any worker, and the first page.

In reading order: ``routes.py`` lists every endpoint, ``stations.py`` and ``sessions.py`` answer,
``owners.py`` finds the worker that can, ``state.py`` is all that the answers are made from. Handlers are
plain aiohttp handlers beside Faust's own views: Faust's view classes would bring their own error format
and their own routing, which takes no body apart and cannot merge lists.
"""
