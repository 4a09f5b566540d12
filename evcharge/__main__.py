"""``python -m evcharge COMMAND``: the same program as ``faust -A evcharge COMMAND``."""

import sys

import evcharge

if __name__ == "__main__":
    # Said first: Faust takes the first option that begins with --app, so also --apply, for --app.
    sys.argv[1:1] = ["-A", "evcharge"]
    evcharge.app.main()
