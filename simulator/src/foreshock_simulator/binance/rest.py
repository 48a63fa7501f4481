"""Binance's keyless REST calls over the simulated market."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from foreshock_simulator.binance import frames, history
from foreshock_simulator.binance.venue import Venue
from foreshock_simulator.binance.weights import LIMIT, Verdict, Weights
from foreshock_simulator.market.contract import Contract

_STALE_MS: Final = 38_000_000
_MOST_KLINES: Final = 1500
_MOST_TRADES: Final = 1000
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
            headers["Retry-After"] = str(verdict.retry_after_s)
            return _json(_too_many(verdict, request.remote or ""), verdict.status, headers)
        try:
            return _json(call(request.query), 200, headers)
        except Refusal as e:
            return _json({"code": e.code, "msg": str(e)}, 400, headers)

    def _contract(self, params: Params) -> Contract:
        symbol = params.get("symbol", "")
        if not symbol:
            raise Refusal(
                -1102,
                "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
            )
        if symbol not in self._venue.market.contracts:
            raise Refusal(-1121, "Invalid symbol.")
        return self._venue.market.contracts[symbol]

    def _one_or_every(self, params: Params, row: Callable[[Contract], Any]) -> Any:
        if "symbol" in params:
            return row(self._contract(params))
        return [row(contract) for contract in self._venue.market.contracts.values()]

    def _time(self, _: Params) -> Any:
        return {"serverTime": self._venue.now_ms}

    def _exchange_info(self, _: Params) -> Any:
        live = [_symbol_row(c) for c in self._venue.market.contracts.values()]
        pattern = live[0]
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
            "symbols": live + [pattern | other for other in others],
        }

    def _premium_index(self, params: Params) -> Any:
        now_ms = self._venue.now_ms

        def row(contract: Contract) -> Any:
            mark = frames.mark_price(contract, now_ms)
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
        contract = self._contract(params)
        return {
            "openInterest": f"{contract.open_interest:.{contract.profile.lot_decimals}f}",
            "symbol": contract.profile.symbol,
            "time": self._venue.now_ms,
        }

    def _open_interest_hist(self, params: Params) -> Any:
        contract = self._contract(params)
        units = contract.open_interest
        return [
            {
                "symbol": contract.profile.symbol,
                "sumOpenInterest": f"{units:.8f}",
                "sumOpenInterestValue": f"{units * contract.mark:.8f}",
                "CMCCirculatingSupply": f"{_real_supply(contract):.8f}",
                "timestamp": self._venue.now_ms // 300_000 * 300_000,
            }
        ]

    def _tickers(self, params: Params) -> Any:
        now_ms = self._venue.now_ms

        return self._one_or_every(params, lambda contract: _ticker(contract, now_ms))

    def _klines(self, params: Params) -> Any:
        contract = self._contract(params)
        interval, limit = params.get("interval", ""), _limit(params)
        if interval not in {"15m", "1h"}:
            raise Refusal(-1120, "Invalid interval.")
        return history.klines(
            contract.profile,
            contract.price,
            interval,
            min(limit, _MOST_KLINES),
            self._venue.now_ms,
            self._venue.seed,
        )

    def _agg_trades(self, params: Params) -> Any:
        symbol = self._contract(params).profile.symbol
        limit, trades = min(_limit(params), _MOST_TRADES), self._venue.trades[symbol]
        if "fromId" not in params:
            return [trade.listed() for trade in trades][-limit:]
        first = _whole(params, "fromId", "")
        return [trade.listed() for trade in trades if trade.number >= first][:limit]


def _symbol_row(contract: Contract) -> dict[str, Any]:
    profile = contract.profile
    return {
        "symbol": profile.symbol, "pair": profile.symbol, "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000, "onboardDate": 1569398400000, "status": "TRADING",
        "baseAsset": profile.base, "quoteAsset": "USDT", "marginAsset": "USDT",
        "pricePrecision": profile.decimals, "quantityPrecision": profile.lot_decimals,
        "underlyingType": "COIN", "underlyingSubType": [],
        "filters": [{"filterType": "PRICE_FILTER", "tickSize": f"1e-{profile.decimals}"}],
    }  # fmt: skip


def _ticker(contract: Contract, now_ms: int) -> dict[str, Any]:
    """Return a row of the 24 h ticker: the day opened at the price at which the market began."""
    profile, digits = contract.profile, contract.profile.decimals
    prices = (profile.price, contract.high, contract.low, contract.price)
    opened, high, low, last = (round(price, digits) for price in prices)
    mean = (opened + high + low + last) / 4
    return {
        "symbol": profile.symbol, "priceChange": f"{last - opened:.{digits}f}",
        "priceChangePercent": f"{(last - opened) / opened * 100:.3f}",
        "weightedAvgPrice": f"{mean:.{digits}f}", "lastPrice": f"{last:.{digits}f}",
        "lastQty": "1", "openPrice": f"{opened:.{digits}f}", "highPrice": f"{high:.{digits}f}",
        "lowPrice": f"{low:.{digits}f}", "volume": f"{profile.daily_usd / mean:.4f}",
        "quoteVolume": f"{profile.daily_usd:.4f}", "openTime": now_ms - 86_400_000,
        "closeTime": now_ms, "firstId": 1, "lastId": 2, "count": 2,
    }  # fmt: skip


def _real_supply(contract: Contract) -> float:
    """Return coins, not thousands of them: the supply is the asset's, whatever the symbol."""
    thousands = contract.profile.base.startswith("1000")
    return contract.profile.supply * (1000 if thousands else 1)


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


def _too_many(verdict: Verdict, address: str) -> dict[str, Any]:
    hint = "Please use the websocket for live updates to avoid"
    if verdict.banned_until_ms:
        banned = f"Way too many requests; IP({address}) banned until {verdict.banned_until_ms}."
        return {"code": -1003, "msg": f"{banned} {hint} bans."}
    limit = f"Too many requests; current limit is {LIMIT} requests per minute."
    return {"code": -1003, "msg": f"{limit} {hint} polling the API."}


def _json(content: Any, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(content),
        status=status,
        headers=headers,
        content_type="application/json",
    )
