"""The business rules: pure functions of state and records, standard library only.

No Faust, no Kafka, no clock, no randomness: time is an argument (``tests/test_layout.py`` enforces it).
Instants are integers, microseconds since 1970-01-01T00:00Z (``_us``); energies are integers,
micro-watt-hours (``_uwh``, so 1 kWh = 1_000_000_000); no float takes part in a decision about money.
"""
