"""Binance: what it sends, and when."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec
from aiohttp import web

from foreshock_simulator.binance import frames
from foreshock_simulator.binance.limits import refusal
from foreshock_simulator.binance.rest import RestApi
from foreshock_simulator.binance.streams import BinanceListener
from foreshock_simulator.market.contract import Contract
from foreshock_simulator.market.market import Market
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.forced import Forced, Shown
from foreshock_simulator.venue.listener import Listener
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.tape import Fill

LIQUIDATIONS: Final = "!forceOrder@arr"
_MARKS: Final = ("!markPrice@arr@1s", "!markPrice@arr")
_ROUTES: Final = ("/market", "/public", "")
_COIN_MARGINED_EVERY_MS: Final = 45_000
_SECOND_MS: Final = 1000


class Binance(Venue):
    """A simulated Binance USD-M.

    https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
    """

    name: ClassVar[str] = "binance"
    sockets: ClassVar[tuple[str, ...]] = tuple(
        f"{route}/{mode}{streams}"
        for route in _ROUTES
        for mode in ("ws", "stream")
        for streams in ("", "/{streams:.+}")
    )
    ping_every_s: ClassVar[float | None] = 180.0
    idle_s: ClassVar[float] = 180.0 + 600.0
    life_s: ClassVar[float] = 24 * 3600.0
    window_ms: ClassVar[int] = _SECOND_MS
    shown: ClassVar[Shown] = "largest"

    def __init__(self, market: Market, share: float, seed: int, now_ms: int) -> None:
        super().__init__(market, share, seed, now_ms)
        self._second = now_ms // _SECOND_MS
        self._coin_margined_ms = now_ms

    def terms(self, contract: Contract) -> Listing:
        """Return the contract under the market's own name: both count 1000PEPE."""
        profile = contract.profile
        return Listing(
            symbol=f"{profile.base}USDT",
            base=profile.base,
            contract=contract,
            share=self.share,
            decimals=profile.decimals,
            lot_decimals=profile.lot_decimals,
        )

    def traded(self, listing: Listing, fills: Sequence[Fill]) -> None:
        """Send them one by one, aggregated and raw."""
        now_ms, name = self.now_ms, listing.symbol.lower()
        streams = (f"{name}@aggTrade", frames.agg_trade), (f"{name}@trade", frames.raw_trade)
        for stream, payload in streams:
            if self.wanted(stream):
                for fill in fills:
                    numbers = (fill.number, fill.number)
                    self.publish(stream, payload(listing, fill, now_ms), numbers=numbers)

    def liquidated(self, rows: Sequence[Forced]) -> None:
        """Send orders as the exchange shows them: an object each."""
        for each in rows:
            payload = frames.force_order(each, self.now_ms)
            self.publish(LIQUIDATIONS, payload)
            self.publish(f"{each.listing.symbol.lower()}@forceOrder", payload)

    def tick(self) -> None:
        """Send marks every second, and now and then an order of the other market."""
        if self.now_ms // _SECOND_MS == self._second:
            return
        self._second = self.now_ms // _SECOND_MS
        if self.now_ms - self._coin_margined_ms >= _COIN_MARGINED_EVERY_MS:
            self._coin_margined_ms = self.now_ms
            order = frames.coin_margined_order(self.now_ms - 900, self.now_ms)
            self.publish(LIQUIDATIONS, order)
        marks = [frames.mark_price(each, self.now_ms) for each in self.trading]
        tradfi = [marks[0] | {"s": "TSLAUSDT", "p": "412.50", "i": "412.40"}] if marks else []
        for stream in _MARKS:
            self.publish(stream, marks, len(marks))
            self.publish(stream, tradfi, len(tradfi))

    def history(self, stream: str, rows: int) -> Sequence[Any]:
        """Return old trades or orders, each a push of its own."""
        name, _, kind = stream.partition("@")
        if stream == LIQUIDATIONS or kind == "forceOrder":
            past = [each for each in self.past(rows) if name in ("!forceOrder", _name(each))]
            return [frames.force_order(each, each.time_ms + _SECOND_MS) for each in past]
        listing = self.listings.get(name.upper())
        if listing is None or kind != "aggTrade" or not rows:
            return ()
        kept = list(self.tapes[listing.symbol].kept)[-rows:]
        return [frames.agg_trade(listing, fill, fill.time_ms) for fill in kept]

    def listener(self, request: web.Request) -> Listener:
        """Return one for the routed or the legacy path that was asked for."""
        parts = request.path.strip("/").split("/")
        route = parts[0] if parts[0] in {"market", "public"} else ""
        combined = (parts[1] if route else parts[0]) == "stream"
        listener = BinanceListener(self, route, combined=combined)
        asked = request.match_info.get("streams", "") or request.query.get("streams", "")
        listener.subscribe(list(filter(None, asked.split("/"))))
        return listener

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the REST calls, each with its weight."""
        return RestApi(self).routes()

    def refuse(self, status: int, for_s: float) -> web.Response:
        """Return a refusal with `Retry-After`, where the exchange sends one."""
        return refusal(status, math.ceil(for_s), self.now_ms + math.ceil(for_s * 1000))

    def notice(self, listener: Listener) -> bytes | None:
        """Return `serverShutdown` as spot documents it; whether futures send it is not known."""
        payload = {"e": "serverShutdown", "E": self.now_ms}
        return msgspec.json.encode(listener.wrapped("!serverShutdown", payload))


def _name(forced: Forced) -> str:
    return forced.listing.symbol.lower()
