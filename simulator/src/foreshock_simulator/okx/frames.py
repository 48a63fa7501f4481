"""OKX's rows, from what the market did: every number is text, a missing one is empty.

https://www.okx.com/docs-v5/en/#public-data-websocket
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from foreshock_simulator.venue.forced import Forced
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.tape import Fill

SWAP: Final = "SWAP"
_FUNDING_MS: Final = 8 * 3_600_000
_NET_EVERY: Final = 3

Row = dict[str, Any]


def push(channel: str, of: str, data: Sequence[Row]) -> Row:
    """Return a push of a channel, of a contract or of all swaps."""
    named = "instType" if of == SWAP else "instId"
    return {"arg": {"channel": channel, named: of}, "data": data}


def family(listing: Listing) -> str:
    """Return `BTC-USDT` for `BTC-USDT-SWAP`: the family, and the index."""
    return listing.symbol.removesuffix("-SWAP")


def number(text: str) -> str:
    """Return a number without zeros that say nothing."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(listing: Listing, lots: int) -> str:
    """Return a size in contracts."""
    return number(listing.size(lots))


def trade(listing: Listing, fill: Fill) -> Row:
    """Return the row of `trades`: `tradeId` is the last of `count` single trades."""
    return {
        "instId": listing.symbol, "tradeId": str(fill.last), "px": number(fill.price),
        "sz": size(listing, fill.lots), "side": "buy" if fill.buys else "sell",
        "ts": str(fill.time_ms), "count": str(fill.last - fill.first + 1), "source": "0",
        "seqId": fill.last,
    }  # fmt: skip


def single_trades(listing: Listing, fill: Fill) -> Iterator[Row]:
    """Yield the rows that REST has of it, each trade on its own, the newest first."""
    count = fill.last - fill.first + 1
    each, rest = divmod(fill.lots, count)
    for trade_id in range(fill.last, fill.first - 1, -1):
        lots = each + rest if trade_id == fill.last else each
        yield {
            "instId": listing.symbol, "side": "buy" if fill.buys else "sell",
            "sz": size(listing, lots), "px": number(fill.price), "source": "0",
            "tradeId": str(trade_id), "ts": str(fill.time_ms),
        }  # fmt: skip


def liquidations(rows: Sequence[Forced]) -> Row:
    """Return the row of `liquidation-orders` for one contract; `details` in any order.

    `side` is the order's: a sell closes a long. `posSide` says nothing in one-way mode.
    """
    listing = rows[0].listing
    return {
        "details": [_detail(each) for each in rows], "instFamily": family(listing),
        "instId": listing.symbol, "instType": SWAP, "uly": family(listing),
    }  # fmt: skip


def _detail(forced: Forced) -> Row:
    listing, order = forced.listing, forced.liquidation
    lots = listing.lots(order.units)
    position = "long" if order.longs else "short"
    return {
        "bkLoss": "0", "bkPx": number(listing.price(order.limit)), "ccy": "",
        "posSide": position if lots % _NET_EVERY else "net",
        "side": "sell" if order.longs else "buy", "sz": size(listing, lots),
        "ts": str(forced.time_ms),
    }  # fmt: skip


def mark_price(listing: Listing, now_ms: int) -> Row:
    """Return the row of `mark-price`."""
    mark = number(listing.price(listing.contract.mark))
    return {"instType": SWAP, "instId": listing.symbol, "markPx": mark, "ts": str(now_ms)}


def open_interest(listing: Listing, now_ms: int) -> Row:
    """Return the row of `open-interest`: contracts, coins and USD, one-sided."""
    coins = listing.open_interest
    return {
        "instType": SWAP, "instId": listing.symbol, "oi": number(f"{listing.contracts(coins):.2f}"),
        "oiCcy": number(f"{coins:.4f}"),
        "oiUsd": number(f"{coins * listing.contract.mark * listing.scale:.4f}"), "ts": str(now_ms),
    }  # fmt: skip


def funding_rate(listing: Listing, now_ms: int) -> Row:
    """Return the row of `funding-rate`: the next rate is not known, and is an empty text."""
    due_ms = (now_ms // _FUNDING_MS + 1) * _FUNDING_MS
    rate = number(f"{listing.contract.funding_rate:.10f}")
    return {
        "formulaType": "noRate", "fundingRate": rate, "fundingTime": str(due_ms),
        "impactValue": "", "instId": listing.symbol, "instType": SWAP, "interestRate": "",
        "maxFundingRate": "0.00375", "method": "current_period", "minFundingRate": "-0.00375",
        "nextFundingRate": "", "nextFundingTime": str(due_ms + _FUNDING_MS), "premium": rate,
        "settFundingRate": rate, "settState": "settled", "ts": str(now_ms),
    }  # fmt: skip


def ticker(listing: Listing, now_ms: int) -> Row:
    """Return the row of `tickers`: `vol24h` in contracts, `volCcy24h` in coins."""
    contract = listing.contract
    coins = listing.daily_usd / (contract.profile.price * listing.scale)
    last, opened = number(listing.price(contract.price)), contract.profile.price
    return {
        "instType": SWAP, "instId": listing.symbol, "last": last, "lastSz": "1", "askPx": last,
        "askSz": "1", "bidPx": last, "bidSz": "1", "open24h": number(listing.price(opened)),
        "high24h": number(listing.price(contract.high)),
        "low24h": number(listing.price(contract.low)), "volCcy24h": number(f"{coins:.4f}"),
        "vol24h": number(f"{listing.contracts(coins):.2f}"),
        "sodUtc0": number(listing.price(opened)), "sodUtc8": number(listing.price(opened)),
        "ts": str(now_ms),
    }  # fmt: skip


def index_ticker(listing: Listing, now_ms: int) -> Row:
    """Return the row of `index-tickers`."""
    index = number(listing.price(listing.contract.index))
    opened = number(listing.price(listing.contract.profile.price))
    return {
        "instId": family(listing), "idxPx": index, "high24h": index, "low24h": index,
        "open24h": opened, "sodUtc0": opened, "sodUtc8": opened, "ts": str(now_ms),
    }  # fmt: skip
