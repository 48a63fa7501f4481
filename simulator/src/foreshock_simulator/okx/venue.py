"""OKX: what it sends, and when."""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from aiohttp import web

from foreshock_schemas.names import coin_of
from foreshock_simulator.market.contract import Contract
from foreshock_simulator.market.market import Market
from foreshock_simulator.market.trades import Liquidation
from foreshock_simulator.okx import frames
from foreshock_simulator.okx.frames import SWAP
from foreshock_simulator.okx.limits import refusal
from foreshock_simulator.okx.rest import RestApi
from foreshock_simulator.okx.streams import LIQUIDATIONS, OkxListener
from foreshock_simulator.venue.base import PAST_ROWS, Venue
from foreshock_simulator.venue.forced import Forced, Shown
from foreshock_simulator.venue.listener import Listener
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.tape import Fill

_CONTRACT_SIZES: Final = {
    "BTC": 0.01,
    "ETH": 0.1,
    "XRP": 100.0,
    "DOGE": 1000.0,
    "PEPE": 10_000_000.0,
    "SHIB": 1_000_000.0,
}
"""Coins in one contract, where it is not one coin; the table of 2022, PEPE's from memory."""
_LOT_DECIMALS: Final = 2
_INVERSE: Final = ("BTC", "ETH")
_INVERSE_USD: Final = 100.0
_INVERSE_SHARE: Final = 0.1
_INVERSE_EVERY_MS: Final = 45_000
_INVERSE_ORDER_USD: Final = 95_000.0
_EVERY_MS: Final[dict[str, tuple[int, Callable[[Listing, int], frames.Row]]]] = {
    "tickers": (100, frames.ticker),
    "mark-price": (200, frames.mark_price),
    "open-interest": (3_000, frames.open_interest),
    "funding-rate": (30_000, frames.funding_rate),
}


class Okx(Venue):
    """A simulated OKX. It has the path of port 443 only, as the real one since October 2026."""

    name: ClassVar[str] = "okx"
    sockets: ClassVar[tuple[str, ...]] = ("/ws/v5/public",)
    idle_s: ClassVar[float] = 30.0
    window_ms: ClassVar[int] = 1000
    shown: ClassVar[Shown] = "all"

    def __init__(self, market: Market, share: float, seed: int, now_ms: int) -> None:
        super().__init__(market, share, seed, now_ms)
        self._sent_ms = dict.fromkeys(_EVERY_MS, now_ms)
        self._inverse_ms = now_ms
        for base in _INVERSE:
            if contract := market.contracts.get(f"{base}USDT"):
                self.add(self._inverse(contract))

    def terms(self, contract: Contract) -> Listing:
        """Return the contract under OKX's name: prices are for one coin, sizes in contracts."""
        profile = contract.profile
        coin, multiplier = coin_of(profile.base)
        return Listing(
            symbol=f"{coin}-USDT-SWAP",
            base=coin,
            contract=contract,
            share=self.share,
            decimals=profile.decimals + round(math.log10(multiplier)),
            lot_decimals=_LOT_DECIMALS,
            scale=1 / multiplier,
            lot=_CONTRACT_SIZES.get(coin, 1.0),
        )

    def traded(self, listing: Listing, fills: Sequence[Fill]) -> None:
        """Send them one by one, merged by order and price."""
        symbol = listing.symbol
        if self.wanted(stream := f"trades:{symbol}"):
            for fill in fills:
                payload = frames.push("trades", symbol, [frames.trade(listing, fill)])
                self.publish(stream, payload, numbers=(fill.first, fill.last))

    def liquidated(self, rows: Sequence[Forced]) -> None:
        """Send all of a contract together, the latest first."""
        payload = frames.push(LIQUIDATIONS, SWAP, [frames.liquidations(rows[::-1])])
        self.publish(f"{LIQUIDATIONS}:{SWAP}", payload, len(rows))

    def tick(self) -> None:
        """Send what is pushed at intervals, and now and then an order of an inverse swap."""
        for channel, (every_ms, row) in _EVERY_MS.items():
            if abs(self.now_ms - self._sent_ms[channel]) < every_ms:
                continue
            self._sent_ms[channel] = self.now_ms
            for listing in self.trading:
                if self.wanted(stream := f"{channel}:{listing.symbol}"):
                    rows = [row(listing, self.now_ms)]
                    self.publish(stream, frames.push(channel, listing.symbol, rows))
        if self.now_ms - self._inverse_ms >= _INVERSE_EVERY_MS:
            self._inverse_ms = self.now_ms
            self._close_inverse()

    def first(self, stream: str) -> Sequence[Any]:
        """Return what is pushed at once: liquidations of the past, or how things are now."""
        channel, _, of = stream.partition(":")
        if channel == LIQUIDATIONS:
            return self.history(stream, PAST_ROWS)
        if channel not in _EVERY_MS:
            return ()
        _, row = _EVERY_MS[channel]
        return [frames.push(channel, of, [row(self.listings[of], self.now_ms)])]

    def history(self, stream: str, rows: int) -> Sequence[Any]:
        """Return one push with old liquidations, or the newest trades once more."""
        channel, _, of = stream.partition(":")
        if channel == LIQUIDATIONS and rows:
            data = [frames.liquidations([each]) for each in self.past(rows)]
            return [frames.push(channel, of, data)]
        if channel != "trades" or not rows:
            return ()
        kept = list(self.tapes[of].kept)[-rows:]
        return [frames.push(channel, of, [frames.trade(self.listings[of], f)]) for f in kept]

    def listener(self, _: web.Request) -> Listener:
        """Return one for the only path there is."""
        return OkxListener(self)

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the REST calls."""
        return RestApi(self).routes()

    def refuse(self, status: int, _for_s: float) -> web.Response:
        """Return a refusal, which does not say for how long."""
        return refusal(status)

    def notice(self, listener: Listener) -> bytes | None:
        """Return the notice of a service upgrade."""
        return listener.notice() if isinstance(listener, OkxListener) else None

    def _inverse(self, contract: Contract) -> Listing:
        profile = contract.profile
        return Listing(
            symbol=f"{profile.base}-USD-SWAP",
            base=profile.base,
            contract=contract,
            share=self.share * _INVERSE_SHARE,
            decimals=profile.decimals,
            lot_decimals=0,
            lot=_INVERSE_USD,
            inverse=True,
        )

    def _close_inverse(self) -> None:
        listing = next((each for each in self.trading if each.inverse), None)
        if listing is not None:
            price = listing.contract.price
            order = Liquidation(True, _INVERSE_ORDER_USD / price, price, price * 0.99)
            self.liquidated([Forced(listing, order, self.now_ms)])
