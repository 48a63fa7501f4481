"""Binance's stream payloads, from what the market did."""

from typing import Any, Final

from foreshock_simulator.venue.forced import Forced
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.tape import Fill

USD_M: Final = 1
COIN_M: Final = 2
_FUNDING_MS: Final = 8 * 3_600_000
_LAST_FILL: Final = 0.4

Payload = dict[str, Any]


def agg_trade(listing: Listing, fill: Fill, now_ms: int) -> Payload:
    """Return the `aggTrade` payload of a trade."""
    return {
        "e": "aggTrade", "E": now_ms, "a": fill.number, "s": listing.symbol, "p": fill.price,
        "q": fill.size, "nq": fill.size, "f": fill.first, "l": fill.last, "T": fill.time_ms,
        "m": not fill.buys, "st": USD_M,
    }  # fmt: skip


def listed_trade(fill: Fill) -> Payload:
    """Return the row of `GET /fapi/v1/aggTrades`."""
    return {
        "a": fill.number, "p": fill.price, "q": fill.size, "nq": fill.size, "f": fill.first,
        "l": fill.last, "T": fill.time_ms, "m": not fill.buys,
    }  # fmt: skip


def raw_trade(listing: Listing, fill: Fill, now_ms: int) -> Payload:
    """Return a trade as a raw `trade` payload."""
    return {
        "e": "trade", "E": now_ms, "T": fill.time_ms, "s": listing.symbol, "t": fill.last,
        "p": fill.price, "q": fill.size, "X": "MARKET", "m": not fill.buys, "st": USD_M,
    }  # fmt: skip


def force_order(forced: Forced, sent_ms: int) -> Payload:
    """Return the `forceOrder` payload of one liquidation: SELL closes a long."""
    listing, order = forced.listing, forced.liquidation
    lots = listing.lots(order.units)
    size = listing.size(lots)
    return {
        "e": "forceOrder",
        "E": sent_ms,
        "o": {
            "s": listing.symbol, "S": "SELL" if order.longs else "BUY", "o": "LIMIT", "f": "IOC",
            "q": size, "p": listing.price(order.limit), "ap": listing.price(order.price),
            "X": "FILLED", "l": listing.size(int(lots * _LAST_FILL)), "z": size,
            "T": forced.time_ms, "ps": listing.symbol, "st": USD_M,
        },
    }  # fmt: skip


def coin_margined_order(traded_ms: int, sent_ms: int) -> Payload:
    """Return a COIN-M liquidation as the merged stream carries it: its quantity is contracts."""
    return {
        "e": "forceOrder",
        "E": sent_ms,
        "o": {
            "s": "BTCUSD_PERP", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "950", "p": "83000.0",
            "ap": "83100.0", "X": "FILLED", "l": "10", "z": "950", "T": traded_ms, "ps": "BTCUSD",
            "st": COIN_M,
        },
    }  # fmt: skip


def mark_price(listing: Listing, now_ms: int) -> Payload:
    """Return the `markPriceUpdate` payload of a contract."""
    contract = listing.contract
    mark, index = listing.price(contract.mark, 4), listing.price(contract.index, 4)
    return {
        "e": "markPriceUpdate", "E": now_ms, "s": listing.symbol, "p": mark, "ap": mark,
        "P": index, "i": index, "r": f"{contract.funding_rate:.8f}",
        "T": next_funding_ms(now_ms), "st": USD_M,
    }  # fmt: skip


def next_funding_ms(now_ms: int) -> int:
    """Return the next full eighth hour."""
    return (now_ms // _FUNDING_MS + 1) * _FUNDING_MS
