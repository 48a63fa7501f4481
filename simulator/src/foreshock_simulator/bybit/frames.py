"""Bybit's rows, from what the market did."""

from typing import Any, Final

from foreshock_simulator.venue.forced import Forced
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.tape import Fill

_FUNDING_MS: Final = 8 * 3_600_000
_TRADE_ID: Final = "a9188a0a-82bc-50de-be60-{number:012x}"
"""Ids are UUIDs; the last twelve hex digits are the trade's number in the ledger."""

Row = dict[str, Any]


def trade(listing: Listing, fill: Fill) -> Row:
    """Return the row of `publicTrade`: S is the taker's side.

    https://bybit-exchange.github.io/docs/v5/websocket/public/trade
    """
    return {
        "T": fill.time_ms, "s": listing.symbol, "S": _side(fill), "v": fill.size, "p": fill.price,
        "L": "PlusTick" if fill.buys else "MinusTick", "i": _TRADE_ID.format(number=fill.number),
        "BT": False, "RPI": False, "seq": fill.last,
    }  # fmt: skip


def recent_trade(listing: Listing, fill: Fill) -> Row:
    """Return the row of `GET /v5/market/recent-trade`."""
    return {
        "execId": _TRADE_ID.format(number=fill.number), "symbol": listing.symbol,
        "price": fill.price, "size": fill.size, "side": _side(fill), "time": str(fill.time_ms),
        "isBlockTrade": False, "isRPITrade": False, "seq": str(fill.last),
    }  # fmt: skip


def liquidation(forced: Forced) -> Row:
    """Return the row of `allLiquidation`: S is the position's side, p its bankruptcy price.

    https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
    """
    listing, order = forced.listing, forced.liquidation
    return {
        "T": forced.time_ms, "s": listing.symbol, "S": "Buy" if order.longs else "Sell",
        "v": listing.size(listing.lots(order.units)), "p": listing.price(order.limit),
    }  # fmt: skip


def push(topic: str, kind: str, data: Any, now_ms: int) -> Row:
    """Return a push of a topic; every one but a ticker's delta is a `snapshot`."""
    return {"topic": topic, "type": kind, "ts": now_ms, "data": data}


def ticker(listing: Listing, now_ms: int) -> dict[str, str]:
    """Return all fields of a ticker, in the stream and in REST: `openInterest` counts both sides.

    https://bybit-exchange.github.io/docs/v5/market/tickers
    """
    contract, price = listing.contract, listing.price
    opened, units = contract.profile.price, listing.open_interest
    value = units * listing.scale * contract.mark
    last, digits = price(contract.price), listing.lot_decimals
    return {
        "symbol": listing.symbol,
        "price24hPcnt": f"{contract.price / opened - 1:.6f}",
        "lastPrice": last,
        "prevPrice24h": price(opened),
        "highPrice24h": price(contract.high),
        "lowPrice24h": price(contract.low),
        "prevPrice1h": price(opened),
        "markPrice": price(contract.mark),
        "indexPrice": price(contract.index),
        "openInterest": f"{2 * round(units, digits):.{digits}f}",
        "openInterestValue": f"{2 * round(value, 2):.2f}",
        "turnover24h": f"{listing.daily_usd:.4f}",
        "volume24h": f"{listing.daily_usd / (opened * listing.scale):.4f}",
        "fundingIntervalHour": "8",
        "fundingCap": "0.005",
        "singleOpenInterest": f"{units:.{digits}f}",
        "singleOpenInterestValue": f"{value:.2f}",
        "nextFundingTime": str((now_ms // _FUNDING_MS + 1) * _FUNDING_MS),
        "fundingRate": f"{contract.funding_rate:.8f}",
        "bid1Price": last,
        "bid1Size": "1",
        "ask1Price": last,
        "ask1Size": "1",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def _side(fill: Fill) -> str:
    return "Buy" if fill.buys else "Sell"
