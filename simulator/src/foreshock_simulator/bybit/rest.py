"""Bybit's keyless REST calls over the simulated market."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from foreshock_simulator.bybit import frames
from foreshock_simulator.bybit.limits import Limits, envelope, refusal
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.candles import MINUTE_MS, candles
from foreshock_simulator.venue.http import json_response
from foreshock_simulator.venue.listing import Listing

_INTERVALS: Final = {str(minutes): minutes * MINUTE_MS for minutes in (1, 5, 15, 60, 240)} | {
    "D": 1440 * MINUTE_MS
}
_OI_INTERVALS: Final = {"5min": 5, "15min": 15, "30min": 30, "1h": 60, "4h": 240, "1d": 1440}
_PAGE: Final = 500
_MOST: Final = 1000
_MOST_OI: Final = 200
_TIERED: Final = 15
_WRONG: Final = 10001
_TIERS: Final = ((0.005, "0.01", "100.00"), (0.01, "0.02", "50.00"), (0.025, "0.05", "20.00"))
"""Maintenance and initial margin, and the leverage, of the first tiers."""

Params = Mapping[str, str]


class Refusal(Exception):
    """A request with wrong parameters: HTTP 200 with retCode 10001."""


class RestApi:
    """The calls by path.

    https://bybit-exchange.github.io/docs/v5/market/instrument
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._limits = Limits()
        self._calls: dict[str, Callable[[Params], Any]] = {
            "/v5/market/time": self._time,
            "/v5/market/tickers": self._tickers,
            "/v5/market/open-interest": self._open_interest,
            "/v5/market/kline": self._klines,
            "/v5/market/recent-trade": self._recent_trades,
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/risk-limit": self._risk_limits,
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all calls."""
        return [web.get(path, self._serve) for path in self._calls]

    async def _serve(self, request: web.Request) -> web.Response:
        now_ms = self._venue.now_ms
        if not self._limits.allows(request.remote or "", now_ms):
            return refusal(web.HTTPForbidden.status_code, now_ms)
        try:
            result = self._result(request.path, request.query)
        except Refusal as e:
            return json_response(envelope(None, now_ms, _WRONG, str(e)))
        return json_response(envelope(result, now_ms))

    def _result(self, path: str, params: Params) -> Any:
        if path != "/v5/market/time" and params.get("category") != "linear":
            raise Refusal("params error: Category is invalid")
        return self._calls[path](params)

    def _listing(self, params: Params) -> Listing:
        listing = self._venue.listings.get(params.get("symbol", ""))
        if listing is None:
            raise Refusal("params error: Symbol Is Invalid")
        return listing

    def _one_or_every(self, params: Params) -> Sequence[Listing]:
        return [self._listing(params)] if params.get("symbol") else self._venue.trading

    def _time(self, _: Params) -> Any:
        now_ms = self._venue.now_ms
        return {"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}

    def _tickers(self, params: Params) -> Any:
        now_ms = self._venue.now_ms
        rows = [frames.ticker(each, now_ms) for each in self._one_or_every(params)]
        return {"category": "linear", "list": rows}

    def _open_interest(self, params: Params) -> Any:
        listing, digits = self._listing(params), self._listing(params).lot_decimals
        step_ms = _OI_INTERVALS.get(params.get("intervalTime", ""), 0) * MINUTE_MS
        if not step_ms:
            raise Refusal("params error: intervalTime is invalid")
        newest = self._venue.now_ms // step_ms * step_ms
        units = round(listing.open_interest, digits)
        rows = [
            {
                "openInterest": f"{2 * units:.{digits}f}",
                "singleOpenInterest": f"{units:.{digits}f}",
                "timestamp": str(newest - place * step_ms),
            }
            for place in range(_limit(params, 50, _MOST_OI))
        ]
        named = {"symbol": listing.symbol, "category": "linear"}
        return named | {"list": rows, "nextPageCursor": ""}

    def _klines(self, params: Params) -> Any:
        """Return candles, newest first."""
        listing, interval = self._listing(params), params.get("interval", "")
        if interval not in _INTERVALS:
            raise Refusal("Invalid period!")
        end = params.get("end")
        found = candles(
            listing,
            _INTERVALS[interval],
            _limit(params, 200, _MOST),
            self._venue.now_ms,
            self._venue.seed,
            int(end) if end and end.isdecimal() else None,
        )
        rows = [
            [str(c.start_ms), c.open, c.high, c.low, c.close, f"{c.base:.4f}", f"{c.quote:.4f}"]
            for c in reversed(found)
        ]
        return {"symbol": listing.symbol, "category": "linear", "list": rows}

    def _recent_trades(self, params: Params) -> Any:
        listing = self._listing(params)
        newest = list(self._venue.tapes[listing.symbol].kept)[-_limit(params, 500, _MOST) :]
        rows = [frames.recent_trade(listing, fill) for fill in reversed(newest)]
        return {"category": "linear", "list": rows}

    def _instruments(self, params: Params) -> Any:
        listings = self._venue.listings
        live = [_instrument(each) for each in listings.values()]
        others: list[dict[str, Any]] = [
            {"symbol": "TSLAUSDT", "baseCoin": "TSLA", "symbolType": "stock"},
            {"symbol": "NEWUSDT", "baseCoin": "NEW", "status": "PreLaunch", "isPreListing": True},
            {"symbol": "BTCPERP", "quoteCoin": "USDC", "settleCoin": "USDC"},
            {"symbol": "BTCUSDT-26MAR27", "contractType": "LinearFutures"},
        ]
        pattern = live[0] | {"status": "Trading"}
        rows = live + [pattern | each for each in others if each["symbol"] not in listings]
        for name, field in (("symbol", "symbol"), ("status", "status")):
            if params.get(name):
                rows = [row for row in rows if row[field] == params[name]]
        return _page(params, rows, _limit(params, _PAGE, _MOST))

    def _risk_limits(self, params: Params) -> Any:
        listings = list(self._one_or_every(params))
        page = _page(params, listings, _TIERED)
        tiers = [row for listing in page["list"] for row in _tiers(listing)]
        return page | {"list": tiers}


def _page(params: Params, rows: Sequence[Any], limit: int) -> dict[str, Any]:
    """Return as many rows as are asked for, from the cursor on."""
    cursor = params.get("cursor") or "0"
    if not cursor.isdecimal():
        raise Refusal("params error: cursor is invalid")
    start = int(cursor)
    more = str(start + limit) if start + limit < len(rows) else ""
    return {"category": "linear", "nextPageCursor": more, "list": rows[start : start + limit]}


def _limit(params: Params, default: int, most: int) -> int:
    text = params.get("limit") or str(default)
    if not text.isdecimal() or not int(text):
        raise Refusal("params error: limit is invalid")
    return min(int(text), most)


def _instrument(listing: Listing) -> dict[str, Any]:
    step, tick = f"{10.0**-listing.lot_decimals:g}", f"{10.0**-listing.decimals:.10f}".rstrip("0")
    return {
        "symbol": listing.symbol, "contractType": "LinearPerpetual",
        "status": "Trading" if listing.status == "trading" else "Closed",
        "baseCoin": listing.base, "quoteCoin": "USDT", "launchTime": "1584230400000",
        "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": str(listing.decimals),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
        "lotSizeFilter": {"minOrderQty": step, "qtyStep": step, "minNotionalValue": "5"},
        "unifiedMarginTrade": True, "fundingInterval": 480, "settleCoin": "USDT",
        "copyTrading": "both", "upperFundingRate": "0.005", "lowerFundingRate": "-0.005",
        "isPreListing": False, "preListingInfo": None, "displayName": "", "symbolType": "",
    }  # fmt: skip


def _tiers(listing: Listing) -> list[dict[str, Any]]:
    cap_usd = listing.contract.profile.held_usd * listing.share / 100
    return [
        {
            "id": number, "symbol": listing.symbol,
            "riskLimitValue": str(round(cap_usd * 4 ** (number - 1))),
            "maintenanceMargin": f"{maintenance:g}", "initialMargin": initial,
            "isLowestRisk": int(number == 1), "maxLeverage": leverage, "mmDeduction": "",
        }
        for number, (maintenance, initial, leverage) in enumerate(_TIERS, 1)
    ]  # fmt: skip
