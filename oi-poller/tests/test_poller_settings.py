"""How many coins may be followed: as many as the venues' limits carry."""

import pytest

from foreshock_exchanges import NAMES, load
from foreshock_exchanges.rest import Budget
from foreshock_kit.environment import load as read
from foreshock_kit.errors import SettingsInvalid
from oi_poller.domain.costs import MOST, SHARE, most_coins
from oi_poller.settings import Settings

COINS = ",".join(f"C{number}" for number in range(401))


@pytest.mark.parametrize(
    "env",
    [
        {"COINS_TOP": "401"},
        {"COINS_TOP": "187", "OI_POLL_S": "30"},
        {"COINS": COINS},
    ],
)
def test_more_coins_than_the_budget_carries_are_refused(env):
    with pytest.raises(SettingsInvalid, match="COINS"):
        read(Settings, env)


@pytest.mark.parametrize(("coins", "poll_s", "polls"), [(400, 60, 1), (186, 59, 2)])
def test_binance_carries_the_most_coins_and_leaves_some_for_histories(coins, poll_s, polls):
    assert read(Settings, {"COINS_TOP": str(coins), "OI_POLL_S": str(poll_s)})
    rest = load("binance").rest
    assert most_coins(rest, polls) == coins
    asked = [rest.tickers(), *rest.premiums(["X"] * coins), *rest.open_interest(["X"] * coins)]
    assert sum(r.weight for r in asked * polls) <= rest.budget.weight * SHARE * 0.9


@pytest.mark.parametrize(
    ("coins", "wrong"),
    [("BTC ETH", "BTC ETH"), ("BTC,eth", "eth"), ("../..", "../.."), ("X" * 5_000, "X" * 40)],
)
def test_what_cannot_be_a_coin_is_refused_with_what_to_write(coins, wrong):
    with pytest.raises(SettingsInvalid) as caught:
        read(Settings, {"COINS": coins})
    (problem,) = caught.value.problems
    assert problem.startswith(f"COINS is wrong: '{wrong}'; a coin is written in capital letters")


def test_coins_asked_for_count_by_their_number():
    assert read(Settings, {"COINS": "BTC,ETH", "COINS_TOP": "400", "OI_POLL_S": "30"})


@pytest.mark.parametrize("name", NAMES)
def test_every_exchange_carries_the_usual_number_of_coins(name):
    assert read(Settings, {"EXCHANGES": name}).coins_top == 60


def test_where_one_answer_tells_all_the_number_of_coins_costs_nothing(made_up):
    adapter, _ = made_up
    assert most_coins(adapter("v", Budget(weight=30, window_s=60.0)).rest, 1) == MOST
    assert most_coins(adapter("v", Budget(weight=10, window_s=60.0)).rest, 1) == 0


def test_a_month_of_candles_counts_page_by_page(made_up):
    adapter, _ = made_up
    rest = adapter("v", Budget(weight=30, window_s=60.0)).rest
    rest.candles_a_page = 300
    assert most_coins(rest, 1) == MOST, "of 6, two for the poll, one for contracts, three pages"
    rest.candles_a_page = 100
    assert most_coins(rest, 1) == 0


def test_an_exchange_that_there_is_not_is_named():
    with pytest.raises(SettingsInvalid, match="no exchange nosuch"):
        read(Settings, {"EXCHANGES": "binance,nosuch"})
