"""One channel of an exchange: the sockets that carry it, and their frames, each taken once."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from foreshock_exchanges.base import Adapter, Channel, Feed
from foreshock_exchanges.intake import Intake
from foreshock_schemas.events import Instrument


class ExchangeDesk(Intake):
    """What the desks of all ingesters have in common; a subclass names its channel."""

    channel: ClassVar[Channel]

    def __init__(
        self, adapter: Adapter, ws_url: str, on_refused: Callable[[str, bytes], None]
    ) -> None:
        super().__init__(adapter, on_refused)
        self.exchange = adapter.name
        self._adapter = adapter
        self._ws_url = ws_url

    def learn(self, contracts: Sequence[Instrument]) -> None:
        """Take note of all contracts of the exchange, followed or not."""
        self._adapter.learn(contracts)

    def feeds(self, contracts: Sequence[Instrument]) -> list[Feed]:
        """Return the sockets that carry the channel for these contracts."""
        return self._adapter.feeds(self.channel, [c.symbol for c in contracts], self._ws_url)
