"""Size classes of coins, by the market capitalisations of the original requirements."""

from typing import Final

from foreshock_schemas.events import Tier

_ABOVE_USD: Final[tuple[tuple[float, Tier], ...]] = (
    (100e9, "mega"),
    (10e9, "large"),
    (1e9, "mid"),
)


def tier_of(market_cap_usd: float) -> Tier:
    """Return a coin's tier: above 100, 10 and 1 billion USD, or below."""
    return next((tier for floor, tier in _ABOVE_USD if market_cap_usd > floor), "small")
