"""Requests, counted per address and call, and how OKX refuses them: without a header.

https://www.okx.com/docs-v5/en/#overview-rate-limits
"""

from typing import Any, Final

from aiohttp import web

from foreshock_simulator.venue.http import json_response

_WINDOW_MS: Final = 2_000
_RESTRICTED: Final = "50125"
_TOO_MANY: Final = "50011"


class Limits:
    """Counts; a call beyond its limit is refused until its two seconds are over."""

    def __init__(self) -> None:
        self._window = -1
        self._used: dict[tuple[str, str], int] = {}

    def allows(self, address: str, path: str, most: int, now_ms: int) -> bool:
        """Count one request; return whether it is answered."""
        window = now_ms // _WINDOW_MS
        if window != self._window:
            self._window, self._used = window, {}
        used = self._used[address, path] = self._used.get((address, path), 0) + 1
        return used <= most


def refusal(status: int) -> web.Response:
    """Return how a request is refused."""
    if status == web.HTTPForbidden.status_code:
        return web.Response(status=status, text="<html>Forbidden</html>", content_type="text/html")
    if status == web.HTTPUnavailableForLegalReasons.status_code:
        return json_response(envelope([], _RESTRICTED, "Not available in your region"), status)
    return json_response(envelope([], _TOO_MANY, "Too Many Requests"), status)


def envelope(data: Any, code: str = "0", message: str = "") -> dict[str, Any]:
    """Return what is around every answer."""
    return {"code": code, "msg": message, "data": data}
