"""OKX's keyless REST calls over the simulated market."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from foreshock_simulator.okx import frames
from foreshock_simulator.okx.frames import SWAP
from foreshock_simulator.okx.limits import Limits, envelope, refusal
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.candles import MINUTE_MS, candles
from foreshock_simulator.venue.http import json_response
from foreshock_simulator.venue.listing import Listing

_BARS: Final = {"1m": 1, "5m": 5, "15m": 15, "1H": 60, "4H": 240, "1D": 1440}
_MOST_CANDLES: Final = 300
_MOST_TRADES: Final = 500
_MOST_OLD_TRADES: Final = 100
_MOST_LIQUIDATIONS: Final = 100
_FAMILIES: Final = 5
_WRONG: Final = "51000"
_UNKNOWN: Final = "51001"
_TIERS: Final = (("0.004", "0.01", "100"), ("0.01", "0.02", "50"), ("0.025", "0.05", "20"))
"""Maintenance and initial margin, and the leverage, of the first tiers."""

Params = Mapping[str, str]


class Refusal(Exception):
    """A request with wrong parameters: HTTP 200 with a code of its own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RestApi:
    """The calls by path, each with how often it may be made in 2 s."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._limits = Limits()
        public, market = "/api/v5/public/", "/api/v5/market/"
        self._calls: dict[str, tuple[int, Callable[[Params], list[Any]]]] = {
            f"{public}time": (10, self._time),
            f"{public}instruments": (20, self._instruments),
            f"{public}open-interest": (20, self._rows(frames.open_interest)),
            f"{public}funding-rate": (10, self._funding_rates),
            f"{public}mark-price": (10, self._rows(frames.mark_price)),
            f"{public}position-tiers": (10, self._tiers),
            f"{public}liquidation-orders": (40, self._liquidations),
            f"{market}tickers": (20, self._rows(frames.ticker)),
            f"{market}index-tickers": (20, self._index_tickers),
            f"{market}candles": (40, self._candles),
            f"{market}history-candles": (20, self._candles),
            f"{market}trades": (100, self._trades),
            f"{market}history-trades": (20, self._old_trades),
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all calls."""
        return [web.get(path, self._serve) for path in self._calls]

    async def _serve(self, request: web.Request) -> web.Response:
        most, call = self._calls[request.path]
        address, now_ms = request.remote or "", self._venue.now_ms
        if not self._limits.allows(address, request.path, most, now_ms):
            return refusal(web.HTTPTooManyRequests.status_code)
        try:
            return json_response(envelope(call(request.query)))
        except Refusal as e:
            return json_response(envelope([], e.code, str(e)))

    def _listing(self, params: Params) -> Listing:
        listing = self._venue.listings.get(params.get("instId", ""))
        if listing is None:
            raise Refusal(_UNKNOWN, "Instrument ID or Spread ID doesn't exist.")
        return listing

    def _one_or_every(self, params: Params) -> Sequence[Listing]:
        if params.get("instId"):
            return [self._listing(params)]
        _swaps_only(params)
        return self._venue.trading

    def _rows(self, row: Callable[[Listing, int], frames.Row]) -> Callable[[Params], list[Any]]:
        def call(params: Params) -> list[Any]:
            return [row(each, self._venue.now_ms) for each in self._one_or_every(params)]

        return call

    def _time(self, _: Params) -> list[Any]:
        return [{"ts": str(self._venue.now_ms)}]

    def _funding_rates(self, params: Params) -> list[Any]:
        every = params.get("instId") == "ANY"
        listings = self._venue.trading if every else [self._listing(params)]
        return [frames.funding_rate(each, self._venue.now_ms) for each in listings]

    def _index_tickers(self, params: Params) -> list[Any]:
        quote = params.get("quoteCcy")
        if not quote:
            raise Refusal(_WRONG, "Parameter quoteCcy error")
        found = [e for e in self._venue.trading if frames.family(e).endswith(f"-{quote}")]
        return [frames.index_ticker(each, self._venue.now_ms) for each in found]

    def _instruments(self, params: Params) -> list[Any]:
        _swaps_only(params)
        listings = self._venue.listings
        live = [_instrument(each) for each in listings.values()]
        others = [
            _renamed(live[0], "NEW") | {"state": "preopen"},
            _renamed(live[0], "LUNA") | {"state": "suspend"},
        ]
        rows = live + [each for each in others if each["instId"] not in listings]
        asked = params.get("instId")
        return [row for row in rows if not asked or row["instId"] == asked]

    def _candles(self, params: Params) -> list[Any]:
        """Return candles older than `after`, newest first."""
        listing, minutes = self._listing(params), _BARS.get(params.get("bar", "1m"))
        if minutes is None:
            raise Refusal(_WRONG, "Parameter bar error")
        after, limit = _whole(params, "after"), _limit(params, _MOST_CANDLES)
        end_ms = after - 1 if after is not None else None
        step_ms, venue = minutes * MINUTE_MS, self._venue
        found = candles(listing, step_ms, limit, venue.now_ms, venue.seed, end_ms)
        return [
            [
                str(c.start_ms), c.open, c.high, c.low, c.close,
                f"{listing.contracts(c.base):.2f}", f"{c.base:.4f}", f"{c.quote:.4f}",
                str(int(c.finished)),
            ]
            for c in reversed(found)
        ]  # fmt: skip

    def _trades(self, params: Params) -> list[Any]:
        return self._single_trades(params)[: _limit(params, _MOST_TRADES)]

    def _old_trades(self, params: Params) -> list[Any]:
        """Return trades with ids below `after` and above `before`, newest first."""
        after, before = _whole(params, "after"), _whole(params, "before")
        found = [
            row
            for row in self._single_trades(params)
            if (after is None or int(row["tradeId"]) < after)
            and (before is None or int(row["tradeId"]) > before)
        ]
        return found[: _limit(params, _MOST_OLD_TRADES)]

    def _single_trades(self, params: Params) -> list[frames.Row]:
        listing = self._listing(params)
        tape = reversed(self._venue.tapes[listing.symbol].kept)
        return [row for fill in tape for row in frames.single_trades(listing, fill)]

    def _tiers(self, params: Params) -> list[Any]:
        _swaps_only(params)
        asked = params.get("instFamily", "").split(",")
        if not params.get("tdMode") or not 0 < len(asked) <= _FAMILIES:
            raise Refusal(_WRONG, "Parameter instFamily error")
        found = [each for each in self._venue.listings.values() if frames.family(each) in asked]
        return [row for listing in found for row in _tiers(listing)]

    def _liquidations(self, params: Params) -> list[Any]:
        """Return the liquidations of a family, newest first."""
        _swaps_only(params)
        asked = params.get("instFamily") or params.get("uly")
        past = [each for each in self._venue.forced if frames.family(each.listing) == asked]
        newest = past[::-1][:_MOST_LIQUIDATIONS]
        return [frames.liquidations(newest) | {"totalLoss": "0"}] if newest else []


def _swaps_only(params: Params) -> None:
    if params.get("instType") != SWAP:
        raise Refusal(_WRONG, "Parameter instType error")


def _whole(params: Params, name: str) -> int | None:
    text = params.get(name)
    if text and not text.isdecimal():
        raise Refusal(_WRONG, f"Parameter {name} error")
    return int(text) if text else None


def _limit(params: Params, most: int) -> int:
    return min(_whole(params, "limit") or 100, most)


def _instrument(listing: Listing) -> frames.Row:
    family, lot = frames.family(listing), f"{10.0**-listing.lot_decimals:g}"
    coin, quote = family.split("-")
    return {
        "alias": "", "baseCcy": "", "category": "1", "ctMult": "1",
        "ctType": "inverse" if listing.inverse else "linear", "ctVal": f"{listing.lot:.10g}",
        "ctValCcy": quote if listing.inverse else coin, "expTime": "", "instFamily": family,
        "instId": listing.symbol, "instType": SWAP, "lever": "100", "listTime": "1573557408000",
        "lotSz": lot, "minSz": lot, "optType": "", "quoteCcy": "", "ruleType": "normal",
        "settleCcy": coin if listing.inverse else quote,
        "state": "live" if listing.status == "trading" else "suspend", "stk": "",
        "tickSz": frames.number(f"{10.0**-listing.decimals:.12f}"), "uly": family,
    }  # fmt: skip


def _renamed(row: frames.Row, coin: str) -> frames.Row:
    family = f"{coin}-USDT"
    return row | {"instId": f"{family}-SWAP", "instFamily": family, "uly": family, "ctValCcy": coin}


def _tiers(listing: Listing) -> list[frames.Row]:
    profile = listing.contract.profile
    usd = profile.held_usd * listing.share / 100
    contracts = usd / listing.lot / (1 if listing.inverse else profile.price * listing.scale)
    rows, least = [], "0"
    for place, (maintenance, initial, leverage) in enumerate(_TIERS):
        most = str(max(1, round(contracts * 4**place)))
        rows.append(
            {
                "tier": str(place + 1), "instFamily": frames.family(listing), "instId": "",
                "uly": frames.family(listing), "minSz": least, "maxSz": most, "mmr": maintenance,
                "imr": initial, "maxLever": leverage, "optMgnFactor": "0", "baseMaxLoan": "",
                "quoteMaxLoan": "",
            }
        )  # fmt: skip
        least = most
    return rows
