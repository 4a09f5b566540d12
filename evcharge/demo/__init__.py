"""`make demo`: everything on this machine, from nothing, to be looked at.

    stage.py     directory, ports, environment, and the programs that play
    child.py     one program: it ends with the demo, whatever ends the demo
    play.py      the order of events, from the topics to the summary
    web.py       what is read of the worker over HTTP
    watch.py     which stations changed
    applied.py   whether all that was published is in the tables
    summary.py   the lines at the end

`python -m evcharge.demo` prints on standard output the addresses, what changes and the summary,
whose last line is JSON; what it is doing goes to standard error. The summary comes from the
worker's tables over HTTP, never from the files that are replayed.
"""
