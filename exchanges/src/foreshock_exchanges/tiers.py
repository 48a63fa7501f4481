"""Margin tiers from what venues tell of them: where each begins, its rate and its leverage."""

from collections.abc import Iterable

from foreshock_schemas.events import MarginTier


def margin_tiers(steps: Iterable[tuple[float, float, float]]) -> tuple[MarginTier, ...]:
    """Return tiers of (floor in USD, maintenance rate, maximum leverage), smallest first.

    A tier's deduction makes its margin at its floor that of the tier below.
    """
    tiers: list[MarginTier] = []
    deduction = rate_below = 0.0
    for floor, rate, leverage in sorted(steps):
        deduction += floor * (rate - rate_below)
        rate_below = rate
        tiers.append(
            MarginTier(floor_usd=floor, rate=rate, max_leverage=leverage, deduction_usd=deduction)
        )
    return tuple(tiers)
