"""Binance's keyless REST calls over the simulated market."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web

from foreshock_schemas.names import coin_of
from foreshock_simulator.binance import frames
from foreshock_simulator.binance.limits import LIMIT, Weights, refusal
from foreshock_simulator.venue.base import Venue
from foreshock_simulator.venue.candles import MINUTE_MS, Candle, candles
from foreshock_simulator.venue.http import json_response
from foreshock_simulator.venue.listing import Listing

_STALE_MS: Final = 38_000_000
_MOST_KLINES: Final = 1500
_MOST_TRADES: Final = 1000
_INTERVALS: Final = {
    f"{count}{unit}": count * minutes * MINUTE_MS
    for unit, minutes, counts in (("m", 1, (1, 5, 15)), ("h", 60, (1, 4)), ("d", 1440, (1,)))
    for count in counts
}
_WHOLE: Final = re.compile(r"[0-9]{1,20}")

Params = Mapping[str, str]


class Refusal(Exception):
    """A request that Binance refuses: HTTP 400 with its own code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class RestApi:
    """The calls by path, each with its weight."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._weights = Weights()
        self._calls: dict[str, tuple[Callable[[Params], int], Callable[[Params], Any]]] = {
            "/fapi/v1/time": (_flat(1), self._time),
            "/fapi/v1/exchangeInfo": (_flat(1), self._exchange_info),
            "/fapi/v1/premiumIndex": (_one_or_all(1, 10), self._premium_index),
            "/fapi/v1/fundingInfo": (_flat(0), self._funding_info),
            "/fapi/v1/openInterest": (_flat(1), self._open_interest),
            "/futures/data/openInterestHist": (_flat(0), self._open_interest_hist),
            "/fapi/v1/ticker/24hr": (_one_or_all(1, 40), self._tickers),
            "/fapi/v1/klines": (_kline_weight, self._klines),
            "/fapi/v1/aggTrades": (_flat(20), self._agg_trades),
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all calls."""
        return [web.get(path, self._serve) for path in self._calls]

    async def _serve(self, request: web.Request) -> web.Response:
        weigh, call = self._calls[request.path]
        verdict = self._weights.charge(
            request.remote or "", weigh(request.query), self._venue.now_ms
        )
        headers = {"X-MBX-USED-WEIGHT-1M": str(verdict.used)}
        if verdict.status != web.HTTPOk.status_code:
            address = request.remote or ""
            refused = refusal(
                verdict.status, verdict.retry_after_s, verdict.banned_until_ms, address
            )
            refused.headers.update(headers)
            return refused
        try:
            return json_response(call(request.query), 200, headers)
        except Refusal as e:
            return json_response({"code": e.code, "msg": str(e)}, 400, headers)

    def _listing(self, params: Params) -> Listing:
        symbol = params.get("symbol", "")
        if not symbol:
            raise Refusal(
                -1102,
                "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
            )
        if symbol not in self._venue.listings:
            raise Refusal(-1121, "Invalid symbol.")
        return self._venue.listings[symbol]

    def _one_or_every(self, params: Params, row: Callable[[Listing], Any]) -> Any:
        if "symbol" in params:
            return row(self._listing(params))
        return [row(listing) for listing in self._venue.trading]

    def _time(self, _: Params) -> Any:
        return {"serverTime": self._venue.now_ms}

    def _exchange_info(self, _: Params) -> Any:
        listings = self._venue.listings
        live = [_symbol_row(each) for each in listings.values()]
        pattern = live[0] | {"status": "TRADING"}
        others = [
            {"symbol": "TSLAUSDT", "baseAsset": "TSLA", "contractType": "TRADIFI_PERPETUAL"},
            {"symbol": "LUNAUSDT", "baseAsset": "LUNA", "status": "SETTLING"},
            {"symbol": "NEWUSDT", "baseAsset": "NEW", "status": "PENDING_TRADING"},
            {"symbol": "BTCUSDC", "quoteAsset": "USDC", "marginAsset": "USDC"},
            {"symbol": "BTCUSDT_270326", "contractType": "CURRENT_QUARTER"},
        ]
        limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
        return {
            "timezone": "UTC",
            "serverTime": self._venue.now_ms - _STALE_MS,  # a cache, as on the real one
            "rateLimits": [limit | {"limit": LIMIT}],
            "assets": [],
            "symbols": live + [pattern | o for o in others if o["symbol"] not in listings],
        }

    def _premium_index(self, params: Params) -> Any:
        now_ms = self._venue.now_ms

        def row(listing: Listing) -> Any:
            mark = frames.mark_price(listing, now_ms)
            return {
                "symbol": mark["s"], "markPrice": mark["p"], "indexPrice": mark["i"],
                "estimatedSettlePrice": mark["P"], "lastFundingRate": mark["r"],
                "interestRate": "0.00010000", "nextFundingTime": mark["T"], "time": now_ms,
            }  # fmt: skip

        return self._one_or_every(params, row)

    def _funding_info(self, _: Params) -> Any:
        adjusted = {"adjustedFundingRateCap": "0.02", "adjustedFundingRateFloor": "-0.02"}
        return [{"symbol": "WIFUSDT", "fundingIntervalHours": 4, "disclaimer": False} | adjusted]

    def _open_interest(self, params: Params) -> Any:
        listing = self._listing(params)
        return {
            "openInterest": f"{listing.open_interest:.{listing.lot_decimals}f}",
            "symbol": listing.symbol,
            "time": self._venue.now_ms,
        }

    def _open_interest_hist(self, params: Params) -> Any:
        listing = self._listing(params)
        units = listing.open_interest
        return [
            {
                "symbol": listing.symbol,
                "sumOpenInterest": f"{units:.8f}",
                "sumOpenInterestValue": f"{units * listing.contract.mark:.8f}",
                "CMCCirculatingSupply": f"{_real_supply(listing):.8f}",
                "timestamp": self._venue.now_ms // 300_000 * 300_000,
            }
        ]

    def _tickers(self, params: Params) -> Any:
        now_ms = self._venue.now_ms

        return self._one_or_every(params, lambda listing: _ticker(listing, now_ms))

    def _klines(self, params: Params) -> Any:
        listing = self._listing(params)
        interval, limit = params.get("interval", ""), _limit(params)
        if interval not in _INTERVALS:
            raise Refusal(-1120, "Invalid interval.")
        step_ms, limit = _INTERVALS[interval], min(limit, _MOST_KLINES)
        found = candles(listing, step_ms, limit, self._venue.now_ms, self._venue.seed)
        return [_kline(each, step_ms) for each in found]

    def _agg_trades(self, params: Params) -> Any:
        tape = self._venue.tapes[self._listing(params).symbol].kept
        limit = min(_limit(params), _MOST_TRADES)
        if "fromId" not in params:
            return [frames.listed_trade(fill) for fill in tape][-limit:]
        first = _whole(params, "fromId", "")
        return [frames.listed_trade(fill) for fill in tape if fill.number >= first][:limit]


def _symbol_row(listing: Listing) -> dict[str, Any]:
    return {
        "symbol": listing.symbol, "pair": listing.symbol, "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000, "onboardDate": 1569398400000,
        "status": "TRADING" if listing.status == "trading" else "SETTLING",
        "baseAsset": listing.base, "quoteAsset": "USDT", "marginAsset": "USDT",
        "pricePrecision": listing.decimals, "quantityPrecision": listing.lot_decimals,
        "underlyingType": "COIN", "underlyingSubType": [],
        "filters": [{"filterType": "PRICE_FILTER", "tickSize": f"1e-{listing.decimals}"}],
    }  # fmt: skip


def _ticker(listing: Listing, now_ms: int) -> dict[str, Any]:
    """Return a row of the 24 h ticker: the day opened at the price at which the market began."""
    contract, digits, volume_usd = listing.contract, listing.decimals, listing.daily_usd
    prices = (contract.profile.price, contract.high, contract.low, contract.price)
    opened, high, low, last = (round(price, digits) for price in prices)
    mean = (opened + high + low + last) / 4
    return {
        "symbol": listing.symbol, "priceChange": f"{last - opened:.{digits}f}",
        "priceChangePercent": f"{(last - opened) / opened * 100:.3f}",
        "weightedAvgPrice": f"{mean:.{digits}f}", "lastPrice": f"{last:.{digits}f}",
        "lastQty": "1", "openPrice": f"{opened:.{digits}f}", "highPrice": f"{high:.{digits}f}",
        "lowPrice": f"{low:.{digits}f}", "volume": f"{volume_usd / mean:.4f}",
        "quoteVolume": f"{volume_usd:.4f}", "openTime": now_ms - 86_400_000,
        "closeTime": now_ms, "firstId": 1, "lastId": 2, "count": 2,
    }  # fmt: skip


def _kline(candle: Candle, step_ms: int) -> list[int | str]:
    base, quote = candle.base, candle.quote
    return [
        candle.start_ms, candle.open, candle.high, candle.low, candle.close, f"{base:.4f}",
        candle.start_ms + step_ms - 1, f"{quote:.4f}", int(quote / 900), f"{base * 0.5:.4f}",
        f"{quote * 0.5:.4f}", "0",
    ]  # fmt: skip


def _real_supply(listing: Listing) -> float:
    """Return coins, not thousands of them: the supply is the asset's, whatever the symbol."""
    profile = listing.contract.profile
    return profile.supply * coin_of(profile.base)[1]


def _flat(weight: int) -> Callable[[Params], int]:
    return lambda _: weight


def _one_or_all(one: int, every: int) -> Callable[[Params], int]:
    return lambda params: one if "symbol" in params else every


def _whole(params: Params, name: str, default: str) -> int:
    text = params.get(name, default)
    if not _WHOLE.fullmatch(text):
        legal = f"legal range is '^{_WHOLE.pattern}$'."
        raise Refusal(-1100, f"Illegal characters found in parameter '{name}'; {legal}")
    return int(text)


def _limit(params: Params) -> int:
    limit = _whole(params, "limit", "500")
    if limit < 1:
        raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return limit


def _kline_weight(params: Params) -> int:
    text = params.get("limit", "500")
    limit = int(text) if _WHOLE.fullmatch(text) else 0
    return next((w for most, w in ((99, 1), (499, 2), (1000, 5)) if limit <= most), 10)
