"""Request weights, counted per address and minute as Binance does."""

import math
from typing import Final

import msgspec

LIMIT: Final = 2400
_MINUTE_MS: Final = 60_000
_TOLERATED: Final = 20
_BAN_MS: Final = 120_000


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a request: its status, the weight used so far, how long to wait."""

    status: int
    used: int
    retry_after_s: int = 0
    banned_until_ms: int = 0


class Weights:
    """Counts; answers 429 beyond the limit, and 418 to whoever goes on regardless."""

    def __init__(self) -> None:
        self._minute = -1
        self._used: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self._banned: dict[str, int] = {}

    def charge(self, address: str, weight: int, now_ms: int) -> Verdict:
        """Count one request of an address."""
        minute = now_ms // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._used, self._refused = minute, {}, {}
        until = self._banned.get(address, 0)
        if now_ms < until:
            return Verdict(418, LIMIT, math.ceil((until - now_ms) / 1000), until)
        used = self._used[address] = self._used.get(address, 0) + weight
        if used <= LIMIT:
            return Verdict(200, used)
        refused = self._refused[address] = self._refused.get(address, 0) + 1
        if refused > _TOLERATED:
            until = self._banned[address] = now_ms + _BAN_MS
            return Verdict(418, used, _BAN_MS // 1000, until)
        return Verdict(429, used, math.ceil((_MINUTE_MS - now_ms % _MINUTE_MS) / 1000))
