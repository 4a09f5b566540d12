"""``python -m evcharge COMMAND``: the same program as ``faust -A evcharge COMMAND``."""

import evcharge

if __name__ == "__main__":
    evcharge.app.main()
