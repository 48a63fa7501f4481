"""Trades that stop, for some coins or for all, and trades that come late."""

from random import Random

import pytest

from foreshock_exchanges.truth.trades import TradeJudge

SECOND = 1000
CHANCES = {"BTC": 0.97, "ETH": 0.9, "SOL": 0.6, "SLOW": 1 / 200}


class Channel:
    """A channel whose coins trade in a second with a chance of their own."""

    def __init__(self, chances=CHANCES):
        self.trades = TradeJudge()
        self.chances = chances
        self.rng = Random(1)
        self.second = 0

    @property
    def now(self):
        return self.second * SECOND

    def run(self, seconds, silent=(), delay_ms=300, marks=True, pace=1.0):
        states = []
        for _ in range(seconds):
            start_ms = self.now
            self.second += 1
            for coin, chance in self.chances.items():
                if coin not in silent and self.rng.random() < chance * pace:
                    self.trades.on_second(coin, start_ms, self.now + delay_ms)
            if marks:
                self.trades.on_mark(self.now)
            states.append(self.trades.judge(self.now + delay_ms).state)
        return states


@pytest.fixture(scope="module")
def an_hour():
    return Channel().run(3_600)


def test_a_channel_is_unknown_until_a_coin_is_known_and_then_live(an_hour):
    known = an_hour.index("LIVE")
    assert known < 60
    assert set(an_hour[:known]) == {"UNKNOWN"}
    assert set(an_hour[known:]) == {"LIVE"}


def test_one_coin_missing_is_partial_and_named():
    channel = Channel()
    channel.run(600)
    states = channel.run(60, silent=("BTC",))
    assert states[13] == "LIVE"
    assert states[40] == "PARTIAL"
    reason = channel.trades.judge(channel.now).reason
    assert reason.startswith("1 of the 3 busiest coins do not trade: BTC; BTC for 59 s, where")
    assert channel.run(2)[-1] == "LIVE"


def test_all_missing_is_mute_on_a_connection_that_lives_and_down_on_one_that_does_not():
    channel = Channel()
    channel.run(600)
    states = channel.run(90, silent=CHANCES)
    assert "MUTE" not in states[:14]
    assert states[-1] == "MUTE"
    assert channel.run(40, silent=CHANCES, marks=False)[-1] == "DOWN"
    channel.trades.connected("down", channel.now, "closed by the venue")
    assert channel.trades.judge(channel.now).reason == "closed by the venue"


def test_without_marks_the_sockets_word_tells_mute_from_down():
    channel = Channel()
    channel.run(600, marks=False)
    assert channel.run(90, silent=CHANCES, marks=False)[-1] == "MUTE"


def test_an_outage_is_neither_learned_nor_held_against_the_coins():
    channel = Channel()
    channel.run(600)
    channel.trades.connected("down", channel.now)
    assert set(channel.run(600, silent=CHANCES)) == {"DOWN"}
    channel.trades.connected("up", channel.now)
    assert channel.run(10, silent=CHANCES)[-1] == "LIVE"
    channel.run(10)
    assert channel.run(90, silent=CHANCES)[-1] == "MUTE"


def test_a_market_of_half_the_pace_alarms_nobody():
    channel = Channel()
    channel.run(3_600)
    assert set(channel.run(3_600, pace=1 / 2)) == {"LIVE"}


def test_slow_coins_alone_are_not_judged():
    channel = Channel({"SLOW": 1 / 150, "SLOWER": 1 / 400})
    states = channel.run(20_000) + channel.run(2_000, silent=("SLOW", "SLOWER"))
    assert set(states) == {"UNKNOWN"}


def test_a_coin_followed_no_more_is_not_missed():
    channel = Channel()
    channel.run(600)
    channel.run(60, silent=("SOL",))
    channel.trades.follow(["BTC", "ETH"])
    assert channel.run(60, silent=("SOL",))[-1] == "LIVE"


def test_trades_that_come_late_are_stale_until_they_come_in_time():
    channel = Channel()
    channel.run(600)
    late = channel.run(60, delay_ms=9_300)
    assert late[5] == "LIVE"
    assert late[-1] == "STALE"
    assert "9 s later than usual" in channel.trades.judge(channel.now).reason
    back = channel.run(30)
    assert back[0] == "STALE"
    assert back[-1] == "LIVE"


def test_one_late_burst_is_not_stale():
    channel = Channel()
    channel.run(600)
    assert "STALE" not in channel.run(5, delay_ms=9_000) + channel.run(60)


def test_a_usual_delay_is_learned():
    channel = Channel()
    channel.run(3_000, delay_ms=1_800)
    assert set(channel.run(60, delay_ms=6_000)) == {"LIVE"}
    fresh = Channel()
    fresh.run(600, delay_ms=300)
    assert "STALE" in fresh.run(60, delay_ms=6_000)
