"""What a service needs of a publisher, whatever is behind it."""

from typing import Protocol

from foreshock_schemas.events import Event
from foreshock_schemas.topics import Topic


class Publishing(Protocol):
    """What a service needs of a publisher; `foreshock_kit.testing` has one in memory."""

    async def publish(self, topic: Topic, event: Event) -> None:
        """Put an event on its way, in a batch."""
        ...

    async def send(self, topic: Topic, event: Event) -> None:
        """Put an event on its way and return when it is acknowledged."""
        ...

    async def flush(self) -> None:
        """Return when everything is acknowledged."""
        ...
