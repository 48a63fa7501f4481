"""How many coins may be followed: as many as the venues' limits carry."""

import pytest

from foreshock_exchanges import load
from foreshock_kit.environment import load as read
from foreshock_kit.errors import SettingsInvalid
from oi_poller.domain.history import HOURS
from oi_poller.edge.poller import HISTORIES_AT_ONCE
from oi_poller.edge.venue import SHARE
from oi_poller.settings import Settings

COINS = ",".join(f"C{number}" for number in range(401))


@pytest.mark.parametrize(
    "env",
    [
        {"COINS_TOP": "401"},
        {"COINS_TOP": "176", "OI_POLL_S": "30"},
        {"COINS": COINS},
    ],
)
def test_more_coins_than_the_budget_carries_are_refused(env):
    with pytest.raises(SettingsInvalid, match="COINS"):
        read(Settings, env)


@pytest.mark.parametrize(("coins", "poll_s", "polls"), [(400, 60, 1), (175, 59, 2)])
def test_the_budget_carries_the_most_coins_and_leaves_some_for_histories(coins, poll_s, polls):
    assert read(Settings, {"COINS_TOP": str(coins), "OI_POLL_S": str(poll_s)})
    rest = load("binance").rest
    asked = [rest.tickers(), *rest.premiums(), *rest.open_interest(["X"] * coins)]
    waiting = [rest.klines("X", "1h", HOURS + 1, 0)] * HISTORIES_AT_ONCE
    hourly = [rest.instruments(), rest.funding_intervals()]
    spent = sum(r.weight for r in [*asked * polls, *waiting, *hourly])
    assert spent <= rest.budget.weight * SHARE * 0.9
