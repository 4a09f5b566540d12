"""`make bench`: what the program can do, measured from outside and beside its peers.

::

    events.py       the stream of events that everything is measured with
    preload.py      puts it into Kafka; paced.py sends it at a steady rate
    cores.py        who runs on which core; fastest_python.py in which interpreter
    programs.py     the program and its peers, as commands
    race.py         one program over one preloaded stream: events per second and per CPU-second
    figures/        one file for each figure of the table
    result.py       result.json and the table at the end
    page.py         docs/performance.md
    where_time_goes.py  a profile of a worker by room

Nothing here is measured by the program that is measured: progress is read from Kafka (committed
offsets, output topics), from HTTP and from the system (CPU time, memory). Only what a price takes is
measured in the benchmark itself: it is a pure function.
"""
