"""The venue itself: turns the market's steps into frames, and remembers what it sent."""

from collections import Counter, deque
from typing import Any, Final

from foreshock_simulator.binance import frames
from foreshock_simulator.binance.frames import AggTrade, Numbering
from foreshock_simulator.binance.streams import Listener
from foreshock_simulator.market.contract import Liquidation
from foreshock_simulator.market.market import Market

LIQUIDATIONS: Final = "!forceOrder@arr"
_MARKS: Final = ("!markPrice@arr@1s", "!markPrice@arr")
_TRADES_KEPT: Final = 2000
_WINDOW_MS: Final = 1000
_COIN_MARGINED_EVERY_MS: Final = 45_000


class Venue:
    """One simulated Binance. `step` is told the time, and sends what falls due."""

    def __init__(self, market: Market, seed: int, now_ms: int) -> None:
        self.market = market
        self.seed = seed
        self.now_ms = now_ms
        self.sent: Counter[str] = Counter()
        self.listeners: set[Listener] = set()
        self.trades: dict[str, deque[AggTrade]] = {
            symbol: deque(maxlen=_TRADES_KEPT) for symbol in market.contracts
        }
        self.faults: Counter[str] = Counter()
        self._numbers = {s: Numbering(c.profile) for s, c in market.contracts.items()}
        self._largest: dict[str, tuple[Liquidation, int]] = {}
        self._window = self._marked = now_ms // 1000
        self._coin_margined_ms = now_ms

    def step(self, now_ms: int, speed: float = 1.0) -> None:
        """Bring the market to `now_ms` and send the frames of that time."""
        before_ms, self.now_ms = self.now_ms, now_ms
        for symbol, step in self.market.step((now_ms - before_ms) / 1000 * speed).items():
            for trade in self._numbers[symbol].number(step.trades, before_ms, now_ms):
                self.trades[symbol].append(trade)
                stream = symbol.lower()
                self._send(f"{stream}@aggTrade", trade.streamed(symbol, now_ms))
                self._send(f"{stream}@trade", trade.raw(symbol, now_ms))
            for liquidation in step.liquidations:
                self._keep_largest(symbol, liquidation, now_ms)
        if now_ms // _WINDOW_MS != self._window:
            self._window = now_ms // _WINDOW_MS
            self._close_window(now_ms)
            self._send_marks(now_ms)

    def _keep_largest(self, symbol: str, liquidation: Liquidation, now_ms: int) -> None:
        kept = self._largest.get(symbol)
        if kept is None or liquidation.units > kept[0].units:
            self._largest[symbol] = (liquidation, now_ms)

    def _close_window(self, now_ms: int) -> None:
        for symbol, (liquidation, traded_ms) in self._largest.items():
            profile = self.market.contracts[symbol].profile
            payload = frames.force_order(profile, liquidation, traded_ms, now_ms)
            self._send(LIQUIDATIONS, payload)
            self._send(f"{symbol.lower()}@forceOrder", payload)
        self._largest.clear()
        if now_ms - self._coin_margined_ms >= _COIN_MARGINED_EVERY_MS:
            self._coin_margined_ms = now_ms
            self._send(LIQUIDATIONS, frames.coin_margined_order(now_ms - 900, now_ms))

    def _send_marks(self, now_ms: int) -> None:
        marks = [frames.mark_price(c, now_ms) for c in self.market.contracts.values()]
        tradfi = [marks[0] | {"s": "TSLAUSDT", "p": "412.50", "i": "412.40"}]
        for stream in _MARKS:
            self._send(stream, marks)
            self._send(stream, tradfi)

    def _send(self, stream: str, payload: Any) -> None:
        heard = [listener for listener in self.listeners if listener.hears(stream)]
        if not heard:
            return
        if self.faults[f"drop:{stream}"] > 0:
            self.faults[f"drop:{stream}"] -= 1
            return
        copies = 1
        if self.faults[f"duplicate:{stream}"] > 0:
            self.faults[f"duplicate:{stream}"] -= 1
            copies = 2
        self.sent[stream] += len(heard)
        for listener in heard:
            for _ in range(copies):
                listener.put(stream, payload)
