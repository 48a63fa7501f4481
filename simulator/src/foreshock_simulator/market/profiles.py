"""The simulated contracts, from the largest to small ones, with how much is traded and held."""

from typing import Final

import msgspec


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One contract. `base` is the symbol's own base: 1000PEPE's price is that of 1,000 PEPE.

    `daily_usd` is its usual volume, `held_usd` its usual open interest, `supply` the circulating
    units of `base`, `volatility` the standard deviation of a day's log return.
    """

    base: str
    price: float
    decimals: int
    lot_decimals: int
    daily_usd: float
    held_usd: float
    supply: float
    volatility: float
    trades_per_s: float
    accounts: int

    @property
    def symbol(self) -> str:
        """The market's name of the contract; venues have their own."""
        return f"{self.base}USDT"


def _profile(
    base: str,
    price: float,
    decimals: int,
    lot_decimals: int,
    daily_usd: float,
    held_usd: float,
    cap_usd: float,
    volatility: float,
    trades_per_s: float,
    accounts: int,
) -> Profile:
    return Profile(
        base=base,
        price=price,
        decimals=decimals,
        lot_decimals=lot_decimals,
        daily_usd=daily_usd,
        held_usd=held_usd,
        supply=cap_usd / price,
        volatility=volatility,
        trades_per_s=trades_per_s,
        accounts=accounts,
    )


DEMO: Final = (
    _profile("BTC", 83_400.0, 1, 3, 8.0e9, 1.6e9, 1.66e12, 0.025, 14, 6000),
    _profile("ETH", 2_950.0, 2, 3, 4.5e9, 8.0e8, 3.56e11, 0.033, 12, 5000),
    _profile("SOL", 138.0, 3, 2, 1.4e9, 2.5e8, 7.7e10, 0.042, 9, 4000),
    _profile("XRP", 2.05, 4, 1, 8.0e8, 1.3e8, 1.24e11, 0.04, 7, 3000),
    _profile("DOGE", 0.152, 5, 0, 4.5e8, 7.0e7, 2.3e10, 0.045, 6, 2500),
    _profile("1000PEPE", 0.00462, 7, 0, 2.2e8, 4.0e7, 1.9e9, 0.055, 5, 2000),
    _profile("SUI", 1.62, 4, 1, 1.8e8, 3.5e7, 6.0e9, 0.05, 5, 2000),
    _profile("WIF", 0.36, 4, 1, 4.0e7, 1.0e7, 3.6e8, 0.06, 4, 1500),
    _profile("JTO", 0.41, 4, 0, 1.2e7, 3.2e6, 1.6e8, 0.06, 3, 1500),
    _profile("ORDI", 4.3, 3, 1, 8.0e6, 2.4e6, 9.0e7, 0.065, 3, 1500),
    _profile("DASH", 47.0, 2, 3, 6.0e6, 2.0e6, 5.9e8, 0.055, 3, 1500),
)


def newcomer(base: str) -> Profile:
    """Return a small contract that was not there before."""
    return _profile(base, 2.4, 4, 1, 8.0e6, 2.4e6, 9.0e7, 0.065, 3, 1500)
