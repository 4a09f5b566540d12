"""Who is to blame when a rule raises: the rule, or what it stands on."""

from __future__ import annotations

from rocksdict import DbClosedError

from evcharge.errors import EvchargeError

NOT_THE_RULE = (EvchargeError, DbClosedError, OSError, MemoryError)
"""Raised from beneath a rule: by the disk, a store, the machine. The records are as good as before.

Whoever runs rules lets these through. The worker then ends without the step, and the next start computes
it again. Anything else is a bug of the rule, for the records that it raises for.
"""
