"""Ending the process at once when going on could corrupt state: a restart is always right."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

EXIT_CODE = 70
"""``EX_SOFTWARE`` of sysexits.h; supervisors restart the worker."""

logger = logging.getLogger(__name__)


def fail_stop(reason: str, problem: BaseException | None = None) -> NoReturn:
    """Log one sentence (and the exception behind it) and end the process without any clean-up.

    Nothing is flushed or committed on purpose: what is durable is consistent, what is not will be
    processed again.
    """
    logger.critical("worker stops: %s", reason, exc_info=problem)
    sys.stderr.write(f"evcharge: worker stops: {reason}\n")
    sys.stderr.flush()
    logging.shutdown()
    os._exit(EXIT_CODE)
