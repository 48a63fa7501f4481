"""Rolling sums, episodes above a limit, and money in whole cents."""

from hypothesis import given
from hypothesis import strategies as st

from threshold_service.domain.windows import Episode, RollingSum, cents_of


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 10**9)), max_size=60))
def test_a_rolling_sum_is_the_sum_of_what_it_covers(entries):
    window = RollingSum(1000)
    counted = []
    for ms, cents in entries:
        window.advance(ms)
        if window.covers(ms):
            window.add(ms, "x", cents, 1)
            counted.append((ms, cents))
        inside = [each for at, each in counted if at > window.latest_ms - 1000]
        assert (window.cents, window.tally) == (sum(inside), len(inside))
        assert len(window.entries) <= 1000


def test_tags_are_those_of_what_still_counts():
    window = RollingSum(1000)
    for ms, tag in ((1000, "okx"), (1500, "binance"), (1200, "okx"), (1400, "bybit")):
        window.advance(ms)
        window.add(ms, tag, 1, 1)
    assert window.tags() == ("binance", "bybit", "okx")
    window.advance(2300)
    assert window.tags() == ("binance", "bybit")


def test_an_episode_by_example():
    episode = Episode(0.5)
    values = [(0, 9), (9, 10), (10, 30), (6, 12), (5, 12), (5, 6), (6, 10)]
    assert [episode.begins(before, now, 10) for before, now in values] == [
        False, True, False, False, True, False, True,
    ]  # fmt: skip


def test_cents_are_whole():
    assert [cents_of(usd) for usd in (0.1 + 0.2, 1e13, float("nan"), -5)] == [30, 0, 0, 0]
