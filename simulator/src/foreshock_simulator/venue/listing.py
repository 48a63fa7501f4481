"""A contract as a venue lists it: the symbol, and what its prices and sizes count."""

from typing import Literal

import msgspec

from foreshock_simulator.market.contract import Contract

Status = Literal["trading", "closed"]


class Listing(msgspec.Struct, kw_only=True):
    """One venue's terms for one contract of the market.

    The venue's price is the market's times `scale` (OKX quotes one PEPE where the market quotes
    a thousand); one of its contracts is `lot` of what it quotes, or of USD if `inverse`. `share`
    is the venue's of the contract's trades, volume and open interest.
    """

    symbol: str
    base: str
    contract: Contract
    share: float
    decimals: int
    lot_decimals: int
    scale: float = 1.0
    lot: float = 1.0
    inverse: bool = False
    status: Status = "trading"

    @property
    def open_interest(self) -> float:
        """Base units open on this venue, counted once."""
        return self.contract.open_interest * self.share / self.scale

    @property
    def daily_usd(self) -> float:
        """A day's usual volume on this venue."""
        return self.contract.profile.daily_usd * self.share

    def price(self, of_market: float, more_digits: int = 0) -> str:
        """Return a price of the market as this venue writes it."""
        return f"{of_market * self.scale:.{self.decimals + more_digits}f}"

    def contracts(self, base_units: float) -> float:
        """Return how many contracts base units are, at the mark price."""
        quoted = base_units * self.contract.mark * self.scale if self.inverse else base_units
        return quoted / self.lot

    def lots(self, units: float) -> int:
        """Return the market's units in this venue's smallest steps, at least one."""
        return max(1, round(self.contracts(units / self.scale) * 10.0**self.lot_decimals))

    def size(self, lots: int) -> str:
        """Return so many smallest steps as this venue writes a size: in contracts."""
        return f"{lots / 10.0**self.lot_decimals:.{self.lot_decimals}f}"
