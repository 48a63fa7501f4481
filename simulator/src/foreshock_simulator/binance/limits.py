"""Request weights, counted per address and minute as Binance does."""

import math
from typing import Final

import msgspec
from aiohttp import web

from foreshock_simulator.venue.http import json_response

LIMIT: Final = 2400
_MINUTE_MS: Final = 60_000
_TOLERATED: Final = 20
_BAN_MS: Final = 120_000
_BANNED: Final = 418


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


def refusal(
    status: int, retry_after_s: int, banned_until_ms: int, address: str = "127.0.0.1"
) -> web.Response:
    """Return 429 or 418 as the limits answer, or what keeps an address or a country out.

    https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info
    """
    if status == web.HTTPForbidden.status_code:
        return web.Response(status=status, text="<html>Forbidden</html>", content_type="text/html")
    if status == web.HTTPUnavailableForLegalReasons.status_code:
        where = "Service unavailable from a restricted location"
        return json_response({"code": 0, "msg": f"{where} according to 'b. Eligibility'."}, status)
    hint = "Please use the websocket for live updates to avoid"
    why = (
        f"Too many requests; current limit is {LIMIT} requests per minute. {hint} polling the API."
    )
    if status == _BANNED:
        banned = f"Way too many requests; IP({address}) banned until {banned_until_ms}."
        why = f"{banned} {hint} bans."
    return json_response({"code": -1003, "msg": why}, status, {"Retry-After": str(retry_after_s)})
