"""The OCPI 2.2.1 Tariff as the pricing rules know it: typed, immutable, exact.

* ``tariff.py``: the tariff, its elements and price components, its bounds.
* ``restrictions.py``: when an element holds.
* ``currency.py``: the minor units of ISO 4217.

How its JSON is read and refused is the business of ``evcharge.events.tariffs``; what it costs, of
``evcharge.domain.pricing``.
"""

from evcharge.domain.tariff.currency import MINOR_UNITS
from evcharge.domain.tariff.restrictions import DAY_S, Reservation, Restrictions
from evcharge.domain.tariff.tariff import Bound, Component, Dimension, Element, Tariff

__all__ = [
    "DAY_S",
    "MINOR_UNITS",
    "Bound",
    "Component",
    "Dimension",
    "Element",
    "Reservation",
    "Restrictions",
    "Tariff",
]
