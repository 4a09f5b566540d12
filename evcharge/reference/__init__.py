"""The reference data that every worker reads whole: the register of stations and the tariffs.

``reference`` is what the application holds, ``register`` and ``tariffs`` what is known, ``follower``
reads their topics from Kafka into them.
"""

from evcharge.reference.reference import Reference
from evcharge.reference.register import Register
from evcharge.reference.tariffs import Tariffs, TariffVersion

__all__ = ["Reference", "Register", "TariffVersion", "Tariffs"]
