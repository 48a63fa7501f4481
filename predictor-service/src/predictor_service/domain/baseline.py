"""The PRD's zones, exactly: four leverages on either side of an anchor price.

Its formula has known defects, kept because it is the documented baseline: the maintenance
term has the wrong sign (a position of 10x is liquidated at 0.9036 of its entry, not 0.8990),
and four times 20 % of a side is about ten times what is liquidated in a day. As written, from
the current price, no zone could ever be within 2 % of it: hence the anchor, the first price
of the hour.
"""

from typing import Final

import msgspec

from foreshock_schemas.events import Position, Zone

MODEL: Final = "baseline_prd"

_LEVERAGES: Final = (10, 15, 20, 25)
_REALISTIC: Final = 1.5
_FEES: Final = 0.001
_SHARE_AT_EACH: Final = 0.2
_LONG_CROWDED: Final = 0.6
_SHORT_CROWDED: Final = 0.4
_SIGNIFICANT_USD: Final = 1_000_000
_CONFIDENCE: Final = 0.7
_HALF_WIDTH: Final = 0.0015
"""A zone is drawn 30 basis points wide; the formula itself gives only a price."""

_LEVERAGE_CALM: Final = 25.0
_LEVERAGE_CROWDED: Final = 10.0
_LEVERAGE_LOST_PER_RATE: Final = 10.0 / 0.0005


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What zones are computed from. `funding_rate_8h` is a share: 0.0001 is 0.01 %."""

    price: float
    anchor_price: float
    open_interest_usd: float
    funding_rate_8h: float


def estimated_leverage(funding_rate_8h: float) -> float:
    """Return 25x at no funding, less 10x for each 0.05 % of the rate's size, at least 10x."""
    lost = abs(funding_rate_8h) * _LEVERAGE_LOST_PER_RATE
    return max(_LEVERAGE_CROWDED, _LEVERAGE_CALM - lost)


def long_ratio(funding_rate_8h: float) -> float:
    """Return the share of open interest taken for leveraged longs: funding shows the bias."""
    return _LONG_CROWDED if funding_rate_8h > 0 else _SHORT_CROWDED


def zones(inputs: Inputs) -> tuple[Zone, ...]:
    """Return the significant zones of both sides, nearest to the current price first."""
    limit = estimated_leverage(inputs.funding_rate_8h) * _REALISTIC
    longs = long_ratio(inputs.funding_rate_8h)
    sides: tuple[tuple[Position, float], ...] = (("long", longs), ("short", 1 - longs))
    found = [
        _zone(inputs, position, leverage, inputs.open_interest_usd * ratio * _SHARE_AT_EACH)
        for position, ratio in sides
        for leverage in _LEVERAGES
        if leverage <= limit
    ]
    significant = [zone for zone in found if zone.expected_usd > _SIGNIFICANT_USD]
    return tuple(sorted(significant, key=lambda zone: zone.distance_pct))


def _zone(inputs: Inputs, position: Position, leverage: int, expected_usd: float) -> Zone:
    away = 1 / leverage + _FEES
    price = inputs.anchor_price * (1 - away if position == "long" else 1 + away)
    return Zone(
        position=position,
        price=price,
        price_low=price * (1 - _HALF_WIDTH),
        price_high=price * (1 + _HALF_WIDTH),
        leverage=float(leverage),
        expected_usd=expected_usd,
        distance_pct=abs(price - inputs.price) / inputs.price * 100,
        confidence=_CONFIDENCE,
    )
