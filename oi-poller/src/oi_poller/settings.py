"""What oi-poller can be told."""

from typing import Annotated, Literal

import msgspec

from foreshock_exchanges import NAMES
from foreshock_kit.settings import ServiceSettings

_Url = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+=https?://")]
_Source = Literal["binance", "coinpaprika", "coingecko", "bundled"]


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """For example `COINS=BTC,ETH`, or `COINS_TOP=60` for the 60 most traded.

    `exchange_rest_urls` (`binance=http://127.0.0.1:9080`) asks another host than the venue's own;
    `market_cap_sources` are asked in this order, and the first that knows a coin is believed.
    """

    exchanges: tuple[str, ...] = ("binance",)
    exchange_rest_urls: tuple[_Url, ...] = ()
    coins: tuple[str, ...] = ()
    coins_top: Annotated[int, msgspec.Meta(ge=1, le=500)] = 60
    oi_poll_s: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 60
    market_cap_sources: tuple[_Source, ...] = ("binance", "coinpaprika", "coingecko", "bundled")
    coinpaprika_url: str = "https://api.coinpaprika.com"
    coingecko_url: str = "https://api.coingecko.com"

    def __post_init__(self) -> None:
        if strangers := [name for name in self.exchanges if name not in NAMES]:
            raise ValueError(f"no exchange {', '.join(strangers)}; there are: {', '.join(NAMES)}")

    def rest_url(self, exchange: str, default: str) -> str:
        """Return the exchange's REST host."""
        return dict(pair.split("=", 1) for pair in self.exchange_rest_urls).get(exchange, default)
