"""``python -m evcharge.documents DIRECTORY``: write the generated reference documents."""

import sys
from pathlib import Path

from evcharge.documents import GENERATED, write


def main() -> int:
    """Write them and say which changed."""
    if len(sys.argv) != 2 or not (directory := Path(sys.argv[1])).is_dir():
        sys.stderr.write("usage: python -m evcharge.documents DIRECTORY\n")
        return 2
    changed = write(directory)
    for file in changed:
        sys.stdout.write(f"wrote {file}\n")
    sys.stdout.write(f"{len(GENERATED) - len(changed)} of {len(GENERATED)} were current\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
