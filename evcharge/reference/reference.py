"""The reference data of one worker, with what keeps them up to date."""

from __future__ import annotations

from collections.abc import Callable

from evcharge.reference.follower import ReferenceFollower
from evcharge.reference.register import Register
from evcharge.reference.tariffs import Tariffs
from evcharge.settings import Settings


class Reference:
    """Register and tariffs; between ``start`` and ``stop`` they follow their topics."""

    def __init__(self, settings: Settings, *, in_memory: bool = False) -> None:
        """Nothing is opened before ``start``; ``in_memory`` needs neither disk nor Kafka."""
        self._settings = settings
        self._in_memory = in_memory
        self.register = Register.in_memory()
        self.tariffs = Tariffs()
        self._follower: ReferenceFollower | None = None

    @property
    def caught_up(self) -> bool:
        """Whether everything was read that was there at the start."""
        return self._in_memory or (self._follower is not None and self._follower.caught_up)

    async def start(self, on_failure: Callable[[str, BaseException], object]) -> None:
        """Return when both topics were read to the end found now, and follow them from then on.

        ``on_failure`` is called when that following ends by itself.

        Raises:
            EvchargeError: a topic does not exist, or Kafka cannot be reached.
            StoreInUseError: another worker uses the same ``EVCHARGE_DATA_DIR``.
        """
        if self._in_memory:
            return
        self.register = Register.at(self._settings.data_dir / "reference")
        self.tariffs = Tariffs()
        follower = ReferenceFollower(self._settings, [self.register, self.tariffs], on_failure)
        try:
            await follower.start()
        except BaseException:
            self.register.close()
            raise
        self._follower = follower

    async def stop(self) -> None:
        """End the following and close the register. Harmless if it was not started."""
        if self._follower is not None:
            await self._follower.stop()
            self._follower = None
            self.register.close()
