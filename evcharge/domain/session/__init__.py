"""The rules of a charging session: a session is a fold of the set of its records.

``fold`` says what a set of records means; ``advance`` computes the same as records arrive.

* ``order.py``: which record comes first, which are equal.
* ``energy.py``: from statements and registers to the session's energy.
* ``reduce.py``: records in order to the state (``state.py``); which end is accepted.
* ``held.py``: why a session waits for a person; ``limits.py``: the thresholds.
* ``flood.py``: a session with too many records.
* ``sealing.py``: when a session first is completed, whatever else arrives with it.
* ``machine.py``: the states and what records, decisions and the deadline can make of them.
* ``power.py``: a reason that needs more than records: the terms.
* ``forgetting.py``: when a marker takes a session's place.
"""

from evcharge.domain.session.advance import Advanced, advance
from evcharge.domain.session.flood import kept_witnesses
from evcharge.domain.session.fold import fold
from evcharge.domain.session.held import HeldReason
from evcharge.domain.session.limits import Limits
from evcharge.domain.session.sealing import Completion, advance_unsealed
from evcharge.domain.session.state import Lifecycle, SessionState

__all__ = [
    "Advanced",
    "Completion",
    "HeldReason",
    "Lifecycle",
    "Limits",
    "SessionState",
    "advance",
    "advance_unsealed",
    "fold",
    "kept_witnesses",
]
