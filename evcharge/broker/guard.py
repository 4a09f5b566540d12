"""A shell around a program, so that it ends with the process that started it, whatever ends that."""

from collections.abc import Sequence

# A small companion outlives us and watches a pipe whose other end only we hold. A line means that
# the program has ended and all is well; end of file without a line means that we are gone, and it
# kills the program. It is forked before the shell becomes the program (whose process id is therefore
# $$), so there is no moment in which the program is unguarded. Linux's PR_SET_PDEATHSIG would not do:
# it fires when the *thread* that started the program ends, and other systems lack it.
_GUARDED = """
exec 3<&0 </dev/null
{ read -r ended <&3 || kill -9 "$$"; } >/dev/null 2>&1 &
exec 3<&-
exec "$@"
"""

ENDED = b"ended\n"
"""To be written to the program's standard input, a pipe, once it has ended."""


def guarded(name: str, command: Sequence[str]) -> list[str]:
    """Return the command that runs a command under guard; its standard input must be a pipe."""
    return ["/bin/sh", "-c", _GUARDED, name, *command]
