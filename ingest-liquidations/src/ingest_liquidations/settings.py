"""What ingest-liquidations can be told."""

from typing import Annotated

import msgspec

from foreshock_exchanges import NAMES
from foreshock_kit.settings import ServiceSettings

_Url = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+=wss?://")]


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """For example `EXCHANGES=binance EXCHANGE_WS_URLS=binance=ws://127.0.0.1:9443`.

    `exchange_ws_urls` sends an exchange's sockets to another host than its own.
    """

    exchanges: tuple[str, ...] = ("binance",)
    exchange_ws_urls: tuple[_Url, ...] = ()

    def __post_init__(self) -> None:
        if strangers := [name for name in self.exchanges if name not in NAMES]:
            raise ValueError(f"no exchange {', '.join(strangers)}; there are: {', '.join(NAMES)}")

    def ws_url(self, exchange: str, default: str) -> str:
        """Return where the exchange's websockets are."""
        return dict(pair.split("=", 1) for pair in self.exchange_ws_urls).get(exchange, default)
