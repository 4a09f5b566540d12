"""Clocks of devices that run ahead of the broker's: what such a record says is taken up, and flagged.

Further ahead than a day a record is a dead letter already (``evcharge.events.instants``).
"""

from evcharge.domain.quantities import SECOND_US

AHEAD_US = 5 * 60 * SECOND_US
"""Microseconds; a timestamp further ahead of its ingest than this is not believed."""
