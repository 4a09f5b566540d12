"""Ending the process at once when going on could corrupt state: a restart is always right."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from evcharge.errors import EvchargeError

EXIT_CODE = 70
"""``EX_SOFTWARE`` of sysexits.h; supervisors restart the worker. Errors of ours have their own."""

logger = logging.getLogger(__name__)


def fail_stop(reason: str, problem: BaseException | None = None) -> NoReturn:
    """Log one sentence (and the exception behind it) and end the process without any clean-up.

    The sentence is also the last line on stderr. Of an ``EvchargeError`` it tells everything: no
    traceback then.

    Nothing is flushed or committed on purpose: what is durable is consistent, what is not will be
    processed again.
    """
    ours = isinstance(problem, EvchargeError)
    logger.critical("worker stops: %s", reason, exc_info=None if ours else problem)
    logging.shutdown()
    # The worker's own stderr: Faust redirects `sys.stderr` into the log.
    stderr = sys.__stderr__ or sys.stderr
    stderr.write(f"evcharge: worker stops: {reason}\n")
    stderr.flush()
    os._exit(problem.exit_code if isinstance(problem, EvchargeError) else EXIT_CODE)
