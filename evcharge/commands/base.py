"""What every command of the project shares: how it runs, how it fails."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, ClassVar, NoReturn

from faust.cli.base import Command, argument, option

from evcharge.errors import EvchargeError
from evcharge.settings import Settings

__all__ = ["ProjectCommand", "argument", "option", "say"]


def say(text: str, *, who: str = "evcharge") -> None:
    """Say something to whoever runs the program, on standard error and at once."""
    sys.stderr.write(f"{who}: {text}\n")
    sys.stderr.flush()


class ProjectCommand(Command):
    """A Faust command whose failures are one sentence on standard error and a non-zero exit code.

    The class's docstring is its ``--help``; ``options`` lists :class:`option` and :class:`argument`.
    """

    abstract: ClassVar[bool] = True

    async def run(self, *args: Any, **kwargs: Any) -> int | None:
        """Do the work; the returned number (or 0) is the exit code."""
        raise NotImplementedError

    @property
    def settings(self) -> Settings:
        """The settings, read from the environment."""
        return Settings.from_env()

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run the command and end the process."""
        try:
            code = asyncio.run(self.run(*self.args, **self.kwargs))
        except EvchargeError as problem:
            say(str(problem))
            raise SystemExit(problem.exit_code) from None
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        except BrokenPipeError:
            raise SystemExit(1) from None
        raise SystemExit(code or 0)
