"""Stands in for `python -m evcharge` in tests of the demo: notes what it was asked, then acts.

The environment says how: FAKE_NOTES is a file to note each call in, FAKE_ACTS maps a command to
`end` (exit 0), `fail` (exit 3 with a line of output), or `serve` (until SIGTERM).
"""

import json
import os
import signal
import sys
from pathlib import Path

asked = sys.argv[1:]
settings = {name: value for name, value in os.environ.items() if name.startswith("EVCHARGE_")}
with Path(os.environ["FAKE_NOTES"]).open("a") as notes:
    notes.write(json.dumps({"asked": asked, "pid": os.getpid(), "settings": settings}) + "\n")
act = json.loads(os.environ["FAKE_ACTS"])[asked[0]]
if act == "fail":
    sys.stdout.write("the reason in the log\n")
    sys.exit(3)
if act == "serve":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        signal.pause()
