"""What the market's figures can be."""

from math import inf, nan

import pytest
from msgspec.structs import replace

from foreshock_schemas.events import Bar, Liquidation, MarketStats, OpenInterest, Signal
from foreshock_schemas.figures import impossible
from foreshock_schemas.testing import sample


@pytest.mark.parametrize(
    ("event", "figures", "wrong"),
    [
        (Liquidation, {"notional_usd": nan}, "notional_usd is nan"),
        (Liquidation, {"size_coins": -1.0}, "size_coins is -1.0"),
        (Bar, {"notional_usd": inf}, "notional_usd is inf"),
        (Bar, {"close": 0.0}, "close is 0.0"),
        (OpenInterest, {"mark_price": 0.0}, "mark_price is 0.0"),
        (OpenInterest, {"open_interest_coins": 1e30}, "open_interest_coins is 1e+30"),
        (OpenInterest, {"funding_rate": nan}, "funding_rate is nan"),
        (MarketStats, {"avg_daily_volume_usd": -inf}, "avg_daily_volume_usd is -inf"),
    ],
)
def test_a_figure_that_cannot_be_is_named(event, figures, wrong):
    assert impossible(replace(sample(event), **figures)) == wrong


@pytest.mark.parametrize(
    ("event", "figures"),
    [
        (Liquidation, {"price": 0.0}),
        (Bar, {"close": None, "mark_price": None}),
        (OpenInterest, {"open_interest_usd": 0.0, "funding_rate": -0.01}),
        (MarketStats, {"price_change_24h_pct": -20.0}),
        (Signal, {"value": -1.0}),
    ],
)
def test_what_is_missing_or_nothing_or_falls_is_possible(event, figures):
    assert impossible(replace(sample(event), **figures)) is None
