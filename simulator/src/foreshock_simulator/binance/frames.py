"""Binance's stream payloads, from what the market did."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from foreshock_simulator.market.contract import Contract, Liquidation, Trades
from foreshock_simulator.market.profiles import Profile

USD_M: Final = 1
COIN_M: Final = 2
_FUNDING_MS: Final = 8 * 3_600_000

Payload = dict[str, Any]


class AggTrade(msgspec.Struct, frozen=True):
    """One aggregated trade as it was sent; kept for the REST back-fill."""

    number: int
    first: int
    last: int
    price: str
    units: str
    time_ms: int
    seller_took: bool

    def streamed(self, symbol: str, now_ms: int) -> Payload:
        """Return the `aggTrade` payload."""
        return {
            "e": "aggTrade", "E": now_ms, "a": self.number, "s": symbol, "p": self.price,
            "q": self.units, "nq": self.units, "f": self.first, "l": self.last, "T": self.time_ms,
            "m": self.seller_took, "st": USD_M,
        }  # fmt: skip

    def listed(self) -> Payload:
        """Return the row of `GET /fapi/v1/aggTrades`."""
        return {
            "a": self.number, "p": self.price, "q": self.units, "nq": self.units, "f": self.first,
            "l": self.last, "T": self.time_ms, "m": self.seller_took,
        }  # fmt: skip

    def raw(self, symbol: str, now_ms: int) -> Payload:
        """Return it as a raw `trade` payload."""
        return {
            "e": "trade", "E": now_ms, "T": self.time_ms, "s": symbol, "t": self.last,
            "p": self.price, "q": self.units, "X": "MARKET", "m": self.seller_took, "st": USD_M,
        }  # fmt: skip


class Numbering:
    """Gives a symbol's aggregated trades their gapless numbers."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._number = 1_000_000
        self._fill = 5_000_000

    def number(self, trades: Trades, from_ms: int, to_ms: int) -> Iterator[AggTrade]:
        """Yield the trades of one step, spread over its time."""
        profile, count = self._profile, len(trades.units)
        rows = zip(trades.prices.tolist(), trades.units.tolist(), trades.buys.tolist(), strict=True)
        for place, (price, units, buys) in enumerate(rows):
            fills = 1 + (self._fill + place) % 3
            yield AggTrade(
                number=self._number,
                first=self._fill,
                last=self._fill + fills - 1,
                price=f"{price:.{profile.decimals}f}",
                units=f"{units:.{profile.lot_decimals}f}",
                time_ms=from_ms + (to_ms - from_ms) * place // count,
                seller_took=not buys,
            )
            self._number += 1
            self._fill += fills


def force_order(profile: Profile, print_: Liquidation, traded_ms: int, sent_ms: int) -> Payload:
    """Return the `forceOrder` payload of one liquidation: SELL closes a long."""
    units = f"{print_.units:.{profile.lot_decimals}f}"
    last = f"{print_.units * 0.4:.{profile.lot_decimals}f}"
    return {
        "e": "forceOrder",
        "E": sent_ms,
        "o": {
            "s": profile.symbol, "S": "SELL" if print_.longs else "BUY", "o": "LIMIT", "f": "IOC",
            "q": units, "p": f"{print_.limit:.{profile.decimals}f}",
            "ap": f"{print_.price:.{profile.decimals}f}", "X": "FILLED", "l": last, "z": units,
            "T": traded_ms, "ps": profile.symbol, "st": USD_M,
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


def mark_price(contract: Contract, now_ms: int) -> Payload:
    """Return the `markPriceUpdate` payload of a contract."""
    digits = contract.profile.decimals + 4
    return {
        "e": "markPriceUpdate", "E": now_ms, "s": contract.profile.symbol,
        "p": f"{contract.mark:.{digits}f}", "ap": f"{contract.mark:.{digits}f}",
        "P": f"{contract.index:.{digits}f}", "i": f"{contract.index:.{digits}f}",
        "r": f"{contract.funding_rate:.8f}", "T": next_funding_ms(now_ms), "st": USD_M,
    }  # fmt: skip


def next_funding_ms(now_ms: int) -> int:
    """Return the next full eighth hour."""
    return (now_ms // _FUNDING_MS + 1) * _FUNDING_MS
