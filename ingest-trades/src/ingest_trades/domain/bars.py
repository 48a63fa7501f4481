"""One-second bars of an exchange's trades, by the exchange's own clock.

A bar closes one second after its second and is never reopened: what comes later for it is
counted as late money of the next bar, unless it is minutes late. Seconds without trades make no
bar, but a coin is heard of at least every ten seconds, so that silence and calm differ.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final

from foreshock_exchanges.base import MarkPrice
from foreshock_schemas.events import Bar, Trade
from foreshock_schemas.ids import venue_id

_GRACE_S: Final = 1
_LATE_S: Final = 120
"""Money of longer ago is none of this second's, whatever is asked for again."""
_HEARTBEAT_S: Final = 10
_RECKONED_MS: Final = 5000
"""Where marks carry no time, the exchange's clock is believed to be at least so close to where
the last trade and ours say; trades that are slower come late."""
_CLUSTER_MS: Final = 100


class Bars:
    """The open seconds of every coin of one exchange.

    `on_second` is told of each closed one with trades: the coin, its start by the exchange's
    clock, and when its last trade came by ours.
    """

    def __init__(
        self, exchange: str, on_second: Callable[[str, int, int], None] = lambda *_: None
    ) -> None:
        self._exchange = exchange
        self._on_second = on_second
        self._open: dict[int, dict[str, _Second]] = {}
        self._late: dict[str, float] = {}
        self._marks: dict[str, float] = {}
        self._told: dict[str, int] = {}
        self._closed_to = 0
        self._clock_ms = 0
        self._ahead_ms = 0

    def follow(self, coins: AbstractSet[str]) -> None:
        """Forget the marks of all other coins: of them nothing is heard in silence."""
        for coin in self._marks.keys() - coins:
            del self._marks[coin]
            self._told.pop(coin, None)

    def on_trade(self, trade: Trade) -> None:
        """Count a trade in its second, or as late money if that has closed within two minutes."""
        second = trade.ts_event_ms // 1000
        self._ahead_ms = trade.ts_recv_ms - trade.ts_event_ms
        if trade.ts_event_ms > self._clock_ms:
            self._advance(trade.ts_event_ms)
        if second < self._closed_to:
            if second >= self._closed_to - _LATE_S:
                self._late[trade.coin] = self._late.get(trade.coin, 0.0) + trade.notional_usd
            return
        coins = self._open.get(second)
        if coins is None:
            coins = self._open[second] = {}
        bar = coins.get(trade.coin)
        if bar is None:
            bar = coins[trade.coin] = _Second(trade.price)
        bar.add(trade)

    def on_mark(self, mark: MarkPrice) -> None:
        """Note the mark price, and the time by the exchange's clock.

        A mark without one tells by our clock that time goes on: less what it was ahead of the
        last trade, and less a margin, so that seconds still trading stay open.
        """
        self._marks[mark.coin] = mark.mark_price
        now_ms = mark.ts_event_ms
        if now_ms is None:
            now_ms = mark.ts_recv_ms - self._ahead_ms - _RECKONED_MS
        if now_ms > self._clock_ms:
            self._advance(now_ms)

    def close(self, recv_ms: int) -> list[Bar]:
        """Return the bars that are due by now, oldest first."""
        due = self._clock_ms // 1000 - _GRACE_S
        if due <= self._closed_to:
            return []
        bars = [
            self._bar(second, coin, trades, recv_ms)
            for second in sorted(s for s in self._open if s < due)
            for coin, trades in self._open.pop(second).items()
        ]
        self._closed_to = due
        return bars + self._heartbeats(due - 1, recv_ms)

    def _advance(self, now_ms: int) -> None:
        if not self._clock_ms:
            self._closed_to = now_ms // 1000 - _GRACE_S
        self._clock_ms = now_ms

    def _heartbeats(self, second: int, recv_ms: int) -> list[Bar]:
        told = self._told
        silent = [c for c in self._marks if second - told.setdefault(c, second) >= _HEARTBEAT_S]
        unheard = dict.fromkeys([*silent, *self._late])
        return [self._bar(second, coin, None, recv_ms) for coin in unheard]

    def _bar(self, second: int, coin: str, trades: "_Second | None", recv_ms: int) -> Bar:
        self._told[coin] = second
        if trades:
            self._on_second(coin, second * 1000, trades.recv_ms)
        return Bar(
            event_id=venue_id(self._exchange, coin, "bar", second),
            ts_event_ms=(second + 1) * 1000,
            ts_recv_ms=recv_ms,
            exchange=self._exchange,
            coin=coin,
            start_ms=second * 1000,
            open=trades.open if trades else None,
            high=trades.high if trades else None,
            low=trades.low if trades else None,
            close=trades.close if trades else None,
            notional_usd=trades.notional_usd if trades else 0.0,
            taker_buy_usd=trades.taker_buy_usd if trades else 0.0,
            trades=trades.trades if trades else 0,
            largest_cluster_usd=trades.largest_cluster_usd if trades else 0.0,
            late_notional_usd=self._late.pop(coin, 0.0),
            mark_price=self._marks.get(coin),
        )


class _Second:
    """What one coin traded within one second."""

    __slots__ = (
        "_run_buys", "_run_start_ms", "_run_usd", "close", "high", "largest_cluster_usd", "low",
        "notional_usd", "open", "recv_ms", "taker_buy_usd", "trades",
    )  # fmt: skip

    def __init__(self, price: float) -> None:
        self.open = self.high = self.low = self.close = price
        self.notional_usd = self.taker_buy_usd = self.largest_cluster_usd = 0.0
        self.trades = self.recv_ms = 0
        self._run_buys: bool | None = None
        self._run_start_ms = 0
        self._run_usd = 0.0

    def add(self, trade: Trade) -> None:
        price, usd = trade.price, trade.notional_usd
        buys = trade.aggressor == "buy"
        self.close = price
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.notional_usd += usd
        self.trades += 1
        self.recv_ms = trade.ts_recv_ms
        if buys:
            self.taker_buy_usd += usd
        if buys is self._run_buys and trade.ts_event_ms - self._run_start_ms <= _CLUSTER_MS:
            self._run_usd += usd
        else:
            self._run_buys, self._run_start_ms, self._run_usd = buys, trade.ts_event_ms, usd
        if self._run_usd > self.largest_cluster_usd:
            self.largest_cluster_usd = self._run_usd
