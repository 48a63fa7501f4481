"""Open interest that stands still, that is missing, or that is counted in another way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges.truth.definitions import Definition, redefinition
from foreshock_exchanges.truth.open_interest import OpenInterestPolls

MINUTE = 60_000
COINS = ("BTC", "ETH", "SOL")


class Venues:
    """Two venues polled each minute; a figure moves with every poll unless held."""

    def __init__(self):
        self.polls = OpenInterestPolls(["x", "y"])
        self.now = 0
        self.figures = {(venue, coin): 100.0 for venue in "xy" for coin in COINS}

    def poll(self, times=1, held=(), silent=(), missing=()):
        states = []
        for _ in range(times):
            self.now += MINUTE
            for venue in "xy":
                if venue not in silent:
                    self.polls.on_poll(venue, self.answer(venue, held, missing), self.now)
            states.append({name: v.state for name, v in self.polls.judge(self.now).items()})
        return states

    def answer(self, venue, held, missing):
        values = {}
        for coin in COINS:
            if venue not in held and (venue, coin) not in held:
                self.figures[venue, coin] += 1.0
            values[coin] = None if (venue, coin) in missing else self.figures[venue, coin]
        return values

    def reason(self, venue):
        return self.polls.judge(self.now)[venue].reason


def of(venue, states):
    return [each[venue] for each in states]


def test_unchanged_for_three_polls_while_another_moves_is_stale():
    venues = Venues()
    venues.poll(5)
    assert of("x", venues.poll(4, held=("x",))) == ["LIVE", "LIVE", "STALE", "STALE"]
    assert venues.reason("x") == (
        "no figure changed for 4 polls, while those of 1 of 1 other venues did"
    )
    assert of("y", venues.poll()) == ["LIVE"]
    assert of("x", venues.poll()) == ["LIVE"]


def test_unchanged_while_nobody_moves_is_quiet():
    venues = Venues()
    venues.poll(5)
    assert of("x", venues.poll(4, held=("x", "y"))) == ["LIVE", "LIVE", "QUIET", "QUIET"]


def test_unchanged_without_a_witness_is_unknown():
    venues = Venues()
    venues.poll(5)
    assert venues.poll(5, held=("x",), silent="y")[-1] == {"x": "UNKNOWN", "y": "DOWN"}


def test_a_venue_that_publishes_every_five_polls_is_stale_once_at_most():
    venues = Venues()
    venues.poll()
    states = []
    for _ in range(30):
        states += of("x", venues.poll(4, held=("x",))) + of("x", venues.poll())
    assert states[:4] == ["LIVE", "LIVE", "STALE", "STALE"]
    assert set(states[4:]) == {"LIVE"}
    assert "STALE" in of("x", venues.poll(10, held=("x",)))


def test_no_answer_for_three_polls_is_down():
    venues = Venues()
    assert of("x", venues.poll(2, silent="x")) == ["UNKNOWN", "UNKNOWN"]
    venues.poll(5)
    assert of("x", venues.poll(4, silent="x")) == ["LIVE", "LIVE", "LIVE", "DOWN"]
    missing = [("x", coin) for coin in COINS]
    assert of("x", venues.poll(4, missing=missing))[-1] == "DOWN"


def test_a_symbol_without_an_answer_is_named():
    venues = Venues()
    venues.poll(5)
    states = of("x", venues.poll(3, missing=[("x", "SOL")]))
    assert states == ["LIVE", "LIVE", "PARTIAL"]
    assert venues.reason("x") == "no figure for SOL"


def test_a_symbol_that_stands_still_is_named_when_it_usually_moves():
    venues = Venues()
    venues.poll(100)
    states = of("x", venues.poll(30, held=[("x", "SOL")]))
    assert states[0] == "LIVE"
    assert states[-1] == "PARTIAL"
    assert venues.reason("x") == "unchanged: SOL"
    venues.polls.on_poll("x", {"BTC": 1.0}, venues.now)
    assert venues.polls.judge(venues.now)["x"].state == "LIVE"


def test_a_symbol_that_moves_now_and_then_is_not_missed():
    venues = Venues()
    for _ in range(60):
        assert set(of("x", venues.poll(20, held=[("x", "SOL")]))) == {"LIVE"}
        venues.poll()


BEFORE = {f"C{number}": 10.0 * (number + 1) for number in range(10)}


@pytest.mark.parametrize("factor", [2.0, 0.5])
@given(st.lists(st.floats(0.97, 1.03), min_size=10, max_size=10))
def test_figures_that_all_double_or_halve_are_counted_in_another_way(factor, noise):
    after = {
        name: value * factor * each
        for (name, value), each in zip(BEFORE.items(), noise, strict=True)
    }
    assert redefinition(BEFORE, after) == factor


@given(st.lists(st.floats(0.7, 1.4), min_size=10, max_size=10), st.sampled_from([2.0, 0.5]))
def test_a_market_that_moves_with_one_coin_doubled_is_an_event(moves, factor):
    after = {name: value * each for (name, value), each in zip(BEFORE.items(), moves, strict=True)}
    after["C3"] = BEFORE["C3"] * factor
    assert redefinition(BEFORE, after) is None


def test_a_few_coins_tell_nothing_of_a_venue():
    four = dict(list(BEFORE.items())[:4])
    assert redefinition(four, {name: 2 * value for name, value in four.items()}) is None


def test_figures_are_comparable_from_the_last_change_on():
    definition = Definition()
    doubled = {name: 2 * value for name, value in BEFORE.items()}
    assert definition.on_poll(BEFORE, 1) == 0
    assert definition.on_poll(doubled, 2) == 2
    assert definition.on_poll(doubled, 3) == 2
    assert definition.on_poll(BEFORE, 4) == 4
