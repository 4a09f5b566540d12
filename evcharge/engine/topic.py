"""The channel of an agent whose events are chunks."""

from __future__ import annotations

from typing import Any

import faust
from faust.types import EventT, Message


class ChunkTopic(faust.Topic):
    """One or more source topics whose "messages" are chunks, passed on as they are."""

    def get_topic_name(self) -> str:
        """Return the first source: the others carry what was forwarded from it."""
        return self.topics[0]

    async def decode(self, message: Message, *, propagate: bool = False) -> EventT[Any]:
        """Wrap the chunk in an event; its records are decoded by the agent's step."""
        return self._create_event(message.key, message.value, None, message=message)

    def _compile_decode(self) -> None:
        """Keep :meth:`decode`: Faust would put one in its place that runs codecs over the value."""
