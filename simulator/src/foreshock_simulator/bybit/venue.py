"""Bybit: what it sends, and when."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from aiohttp import web

from foreshock_simulator.bybit import frames
from foreshock_simulator.bybit.limits import refusal
from foreshock_simulator.bybit.rest import RestApi
from foreshock_simulator.bybit.streams import BybitListener
from foreshock_simulator.market.contract import Contract
from foreshock_simulator.market.market import Market
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.forced import Forced, Shown
from foreshock_simulator.venue.listener import Listener
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.tape import Fill

_BASES: Final = {"1000SHIB": "SHIB1000"}
"""Where Bybit writes the thousand behind."""
_MOST_ROWS: Final = 1024
_TICKERS_EVERY_MS: Final = 200
"""Documented are 100 ms; a contract's ticker was recorded to change four to six times a second."""


class Bybit(Venue):
    """A simulated Bybit.

    https://bybit-exchange.github.io/docs/v5/ws/connect
    """

    name: ClassVar[str] = "bybit"
    sockets: ClassVar[tuple[str, ...]] = ("/v5/public/linear",)
    idle_s: ClassVar[float] = 600.0
    window_ms: ClassVar[int] = 500
    shown: ClassVar[Shown] = "all"

    def __init__(self, market: Market, share: float, seed: int, now_ms: int) -> None:
        super().__init__(market, share, seed, now_ms)
        self._tickers: dict[str, dict[str, str]] = {}
        self._ticked = now_ms // _TICKERS_EVERY_MS

    def terms(self, contract: Contract) -> Listing:
        """Return the contract under Bybit's name: both count in thousands."""
        profile = contract.profile
        base = _BASES.get(profile.base, profile.base)
        return Listing(
            symbol=f"{base}USDT",
            base=base,
            contract=contract,
            share=self.share,
            decimals=profile.decimals,
            lot_decimals=profile.lot_decimals,
        )

    def traded(self, listing: Listing, fills: Sequence[Fill]) -> None:
        """Send them together, at most 1,024 in a message."""
        topic = f"publicTrade.{listing.symbol}"
        for start in range(0, len(fills) if self.wanted(topic) else 0, _MOST_ROWS):
            part = fills[start : start + _MOST_ROWS]
            rows = [frames.trade(listing, fill) for fill in part]
            numbers = (part[0].number, part[-1].number)
            self.publish(topic, self._snapshot(topic, rows), len(rows), numbers)

    def liquidated(self, rows: Sequence[Forced]) -> None:
        """Send all of half a second together."""
        topic = f"allLiquidation.{rows[0].listing.symbol}"
        data = [frames.liquidation(each) for each in rows]
        self.publish(topic, self._snapshot(topic, data), len(rows))

    def tick(self) -> None:
        """Send what has changed in the tickers that somebody follows."""
        if self.now_ms // _TICKERS_EVERY_MS == self._ticked:
            return
        self._ticked = self.now_ms // _TICKERS_EVERY_MS
        for listing in self.trading:
            if self.wanted(f"tickers.{listing.symbol}"):
                self._send_delta(listing)

    def first(self, stream: str) -> Sequence[Any]:
        """Return the whole ticker to whoever begins to follow it."""
        kind, _, symbol = stream.partition(".")
        if kind != "tickers":
            return ()
        self._send_delta(self.listings[symbol])  # so that all know the same from here on
        return [self._snapshot(stream, self._tickers[symbol])]

    def history(self, stream: str, rows: int) -> Sequence[Any]:
        """Return one push with old trades or liquidations."""
        kind, _, symbol = stream.partition(".")
        listing = self.listings[symbol]
        data: list[frames.Row] = []
        if kind == "allLiquidation":
            past = self.past(rows * len(self.trading))
            data = [frames.liquidation(each) for each in past if each.listing is listing]
        elif kind == "publicTrade" and rows:
            kept = list(self.tapes[symbol].kept)[-rows:]
            data = [frames.trade(listing, fill) for fill in kept]
        return [self._snapshot(stream, data)] if data else ()

    def listener(self, _: web.Request) -> Listener:
        """Return one for the only path there is."""
        return BybitListener(self)

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the REST calls."""
        return RestApi(self).routes()

    def refuse(self, status: int, _for_s: float) -> web.Response:
        """Return a refusal, which does not say for how long."""
        return refusal(status, self.now_ms)

    def _send_delta(self, listing: Listing) -> None:
        topic, symbol = f"tickers.{listing.symbol}", listing.symbol
        shown, now = self._tickers.get(symbol, {}), frames.ticker(listing, self.now_ms)
        self._tickers[symbol] = now
        changed = {name: text for name, text in now.items() if shown.get(name) != text}
        if changed:
            data = {"symbol": symbol} | changed
            self.publish(topic, frames.push(topic, "delta", data, self.now_ms))

    def _snapshot(self, topic: str, data: Any) -> frames.Row:
        return frames.push(topic, "snapshot", data, self.now_ms)
