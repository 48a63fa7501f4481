"""Requests, counted per address, and how Bybit refuses them.

https://bybit-exchange.github.io/docs/v5/rate-limit
"""

from typing import Any, Final

from aiohttp import web

from foreshock_simulator.venue.http import json_response

MOST: Final = 600
_WINDOW_MS: Final = 5_000
_BAN_MS: Final = 600_000
_TOO_MANY: Final = 10006
_RESTRICTED: Final = 10024


class Limits:
    """Counts; whoever asks for the 601st time within 5 s is kept out for ten minutes."""

    def __init__(self) -> None:
        self._window = -1
        self._used: dict[str, int] = {}
        self._banned: dict[str, int] = {}

    def allows(self, address: str, now_ms: int) -> bool:
        """Count one request of an address; return whether it is answered."""
        window = now_ms // _WINDOW_MS
        if window != self._window:
            self._window, self._used = window, {}
        if now_ms < self._banned.get(address, 0):
            return False
        used = self._used[address] = self._used.get(address, 0) + 1
        if used > MOST:
            self._banned[address] = now_ms + _BAN_MS
        return used <= MOST


def refusal(status: int, now_ms: int) -> web.Response:
    """Return how a request is refused: 403 for an address's limit, 429 by the whole system."""
    if status == web.HTTPUnavailableForLegalReasons.status_code:
        return json_response(envelope(None, now_ms, _RESTRICTED, "Restricted region"), status)
    forbidden = status == web.HTTPForbidden.status_code
    why = "access too frequent" if forbidden else "Too many visits!"
    return json_response(envelope(None, now_ms, _TOO_MANY, why), status)


def envelope(result: Any, now_ms: int, code: int = 0, message: str = "OK") -> dict[str, Any]:
    """Return what is around every answer."""
    return {
        "retCode": code,
        "retMsg": message,
        "result": result or {},
        "retExtInfo": {},
        "time": now_ms,
    }
