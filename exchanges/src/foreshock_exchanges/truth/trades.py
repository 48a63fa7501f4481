"""Whether one exchange's trades can be believed, by the pace of its busiest coins."""

from collections.abc import Collection
from typing import Final

from foreshock_exchanges.truth.delay import Delay
from foreshock_exchanges.truth.silence import Silence
from foreshock_exchanges.truth.verdict import Connection, Link, Verdict, joined

HALF_LIFE_MS: Final = 3_600_000
"""In such a time of trading, a coin's pace of before counts half: paces change by the hour."""

TOP: Final = 10
"""So many of the busiest coins are judged."""

LEAST_PACE: Final = 6.0
"""Seconds with trades in a minute; slower coins are not judged."""

SOONEST_S: Final = 15.0
"""Three times the longest pause of BTC's trades in 90 days (4.8 s)."""

SLOWDOWN: Final = 1.5
"""Room for a pace that falls at once; in four days of three coins no silence passed 1.02."""

MARK_MS: Final = 30_000
"""Without a mark price for so long, the connection is taken to be dead as well."""

_NAMED: Final = 5


class TradeJudge:
    """Judges one exchange's trades, told of each coin's seconds in which it traded.

    A coin is missing when it has been silent for half as long again as calm explains once in three
    months, and for 15 s at least. Only the ten busiest are judged. Some missing is PARTIAL; all
    missing is MUTE while marks or, where none ever came, the sockets show that the connection
    lives.
    """

    def __init__(self) -> None:
        self._coins: dict[str, _Coin] = {}
        self._delay = Delay()
        self._connection = Connection("up", "", 0)
        self._mark_ms = 0

    def on_second(self, coin: str, start_ms: int, recv_ms: int) -> None:
        """Take a second with trades: its start by the exchange's clock.

        `recv_ms` is when its last trade came by our clock, not when it was known to be over.
        """
        self._delay.on_second(start_ms, recv_ms)
        known = self._coins.get(coin)
        if known is None:
            self._coins[coin] = _Coin(start_ms, recv_ms)
        else:
            known.on_second(start_ms, recv_ms, self._connection.since_ms)

    def on_mark(self, recv_ms: int) -> None:
        """Take note that a mark price came."""
        self._mark_ms = recv_ms

    def connected(self, link: Link, at_ms: int, reason: str = "") -> None:
        """Take the word of the socket layer; the feed counts as up until told otherwise."""
        if link != self._connection.link:
            self._connection = Connection(link, reason or f"the connection is {link}", at_ms)

    def follow(self, coins: Collection[str]) -> None:
        """Forget all coins but these."""
        self._coins = {name: coin for name, coin in self._coins.items() if name in coins}

    def judge(self, now_ms: int) -> Verdict:
        """Return the state of the feed; asking changes nothing."""
        return joined(self._connection, self._verdict(now_ms))

    def _verdict(self, now_ms: int) -> Verdict:
        up_ms = self._connection.since_ms
        top = self._top()
        if not top:
            return Verdict("UNKNOWN", "no coin is known to trade often enough to tell", up_ms)
        missing = {
            name: self._coins[name] for name in top if self._coins[name].is_missing(now_ms, up_ms)
        }
        if len(missing) == len(top):
            return self._silent(missing, now_ms)
        if self._delay.is_late:
            late_s = self._delay.beyond_usual_ms / 1000
            why = f"trades come {late_s:.0f} s later than usual, or this machine's clock is wrong"
            return Verdict("STALE", why, self._delay.since_ms)
        if missing:
            since_ms = min(coin.recv_ms for coin in missing.values())
            return Verdict("PARTIAL", _told(missing, len(top), now_ms), since_ms)
        latest_ms = max(self._coins[name].recv_ms for name in top)
        return Verdict("LIVE", f"the {len(top)} busiest coins trade at their pace", latest_ms)

    def _top(self) -> list[str]:
        paces = {n: c.pace.pace for n, c in self._coins.items() if c.pace.is_known}
        fast = [name for name, pace in paces.items() if pace >= LEAST_PACE]
        return sorted(fast, key=paces.__getitem__, reverse=True)[:TOP]

    def _silent(self, missing: dict[str, "_Coin"], now_ms: int) -> Verdict:
        latest_ms = max(coin.recv_ms for coin in missing.values())
        why = _told(missing, len(missing), now_ms)
        if self._mark_ms and now_ms - self._mark_ms > MARK_MS:
            return Verdict("DOWN", f"{why}; mark prices have stopped too", latest_ms)
        return Verdict("MUTE", f"{why}, on a connection that lives", latest_ms)


class _Coin:
    """One coin: its seconds with trades among those without."""

    def __init__(self, start_ms: int, recv_ms: int) -> None:
        self.pace = Silence(HALF_LIFE_MS)
        self.recv_ms = recv_ms
        self._start_ms = start_ms

    @property
    def limit_s(self) -> float:
        return max(SOONEST_S, SLOWDOWN * self.pace.limit)

    def on_second(self, start_ms: int, recv_ms: int, up_ms: int) -> None:
        ms = start_ms - self._start_ms
        if ms > 0:
            idle = ms / 1000 - 1
            if self._start_ms >= up_ms and (idle < SOONEST_S or idle < self.limit_s):
                self.pace.learn(idle, ms)
            self._start_ms = start_ms
        self.recv_ms = max(self.recv_ms, recv_ms)

    def is_missing(self, now_ms: int, up_ms: int) -> bool:
        return now_ms - max(self.recv_ms, up_ms) > 1000 * self.limit_s


def _told(missing: dict[str, _Coin], of: int, now_ms: int) -> str:
    names = sorted(missing, key=lambda name: missing[name].recv_ms)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    longest_s = (now_ms - missing[names[0]].recv_ms) // 1000
    limit_s = missing[names[0]].limit_s
    return (
        f"{len(names)} of the {of} busiest coins do not trade: {', '.join(names[:_NAMED])}{more}; "
        f"{names[0]} for {longest_s} s, where calm explains {limit_s:.0f} s"
    )
