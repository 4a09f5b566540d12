"""A fleet of charging stations in a model: time is an argument, chance comes from one seed.

    city.py         a made-up register of a city's stations
    equipment.py    which bays and plugs a register's stations have
    vehicle.py      batteries and how fast they take energy
    arrivals.py     when in the day cars come
    bay.py          one EVSE: a car plugs in, charges, idles, leaves; what the device then says
    fleet.py        all bays, at an asked rate of events
    delivery.py     an event on its way to Kafka
    faults.py       what goes wrong with devices and networks, one function each
    fault_mix.py    how often, and on which stations

The same seed, start and ticks give the same events. `evcharge/commands/simulate.py` publishes.
"""
