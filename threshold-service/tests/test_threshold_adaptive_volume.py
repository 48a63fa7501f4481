"""Volume spikes: what the detector hears and learns, and what it is deaf to."""

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_bars import DAILY_USD, HOUR, NOW, T0, Around, bar, calm, candles, feed, spike, warm

from foreshock_schemas.events import Kline
from foreshock_schemas.testing import sample
from threshold_service.domain.adaptive.venue import Venue
from threshold_service.domain.adaptive.volume import Volume
from threshold_service.domain.adaptive.window import Window


def test_a_fifth_of_the_original_limit_is_worth_a_word():
    assert feed(warm(), spike(NOW, 20), Around(limit_usd=20_000.0 * 900 * 4.5))
    assert feed(warm(), spike(NOW, 20), Around(limit_usd=20_000.0 * 900 * 5.5)) == []


def test_a_window_that_is_looked_at_more_often_must_be_further_out():
    short, minute, long = (Window.of(span_s) for span_s in (10, 60, 300))
    for window in (short, minute, long):
        window.warm(0.2)
        window.floor = 0.0
        window.aim(4.0)
    assert short.score(1.0) < minute.score(1.0) < long.score(1.0)
    assert long.score(1.0) - short.score(1.0) == pytest.approx(math.log10(30))
    due = 1_000_000_000
    for window in (short, minute, long):
        assert window.z(round(window.least(due)), due) == pytest.approx(4.0, abs=1e-3)


def test_what_was_told_of_in_error_while_it_learned_does_not_make_it_deaf():
    volume = Volume()
    feed(volume, calm(0, 600))
    volume.budget.threshold = 9.0
    for n in range(8_640):
        volume.scores.add(n / 2_160, T0)
    assert not volume.learned
    for candle in candles("binance"):
        volume.on_candle(candle)
    feed(volume, calm(600, 700))
    assert volume.budget.threshold == pytest.approx(4.0, abs=0.1)


def test_without_history_it_is_in_shadow_for_a_day():
    volume = Volume()
    feed(volume, (bar(s, 10_000.0, length_s=10) for s in range(0, 86_390, 10)))
    assert not volume.learned
    assert feed(volume, [bar(86_390, 10_000.0, length_s=10), bar(86_400, 1_000.0)]) == []
    assert volume.learned
    assert len(feed(volume, spike(86_401, 20, usd=8_000.0))) == 1


def test_only_what_was_heard_ends_the_shadow():
    """Ten minutes, a day away or of a feed that is mute, and ten minutes more."""
    volume = Volume()
    feed(volume, calm(0, 600))
    mute = Around(states={"binance": "MUTE"})
    feed(volume, (bar(s, 0.0, length_s=10) for s in range(50_000, 136_400, 10)), mute)
    feed(volume, calm(200_000, 200_600, ("binance", "okx")))
    assert not volume.learned
    assert volume.heard_s == pytest.approx(1_200, abs=12)


def test_where_trades_are_rare_a_silence_is_calm():
    """A venue that tells of trades only, one in a minute and a half, is learned in a day or so."""
    rng = random.Random(2)
    volume, second = Volume(), 0
    while second < 40 * 3_600:
        second += 1 + round(rng.expovariate(1 / 90))
        feed(volume, [bar(second, 2_000.0)])
    assert volume.learned
    assert volume.heard_s > 0.75 * second
    feed(volume, [bar(second + 3_600, 2_000.0)])
    assert not volume.seconds.covers(10)


def test_outages_of_a_venue_that_is_heard_each_second_are_not_taken_for_calm():
    venue = Venue()
    for day in range(1, 30):
        for second in range(day * 20_000 + 300, (day + 1) * 20_000):
            venue.heard_from(second)
            venue.hear(second, 1)
        assert venue.patience_s < 60


def test_an_hourly_history_ends_the_shadow():
    volume = Volume()
    for i, candle in enumerate(candles("binance", days=1), 1):
        volume.on_candle(candle)
        assert volume.learned == (i == 24)


def test_a_day_of_quarters_tells_how_much_the_longest_window_varies():
    volume, rng = Volume(), random.Random(6)
    for quarter in range(96):
        start_ms = T0 + (quarter - 96) * HOUR // 4
        usd = DAILY_USD / 96 * rng.lognormvariate(0, 0.3)
        volume.on_candle(
            sample(
                Kline,
                exchange="binance",
                interval="15m",
                start_ms=start_ms,
                ts_event_ms=start_ms + HOUR // 4,
                notional_usd=usd,
            )
        )
    assert [window.ready for window in volume.windows] == [False, False, True]
    assert 0.2 < volume.windows[-1].scale.mad < 0.8


def test_in_shadow_nothing_is_told():
    volume = Volume()
    feed(volume, calm(0, 3600))
    assert volume.windows[0].ready
    assert feed(volume, spike(3600, 60, usd=1e9)) == []


def test_a_venue_that_falls_silent_is_no_longer_expected():
    """Its volume is missing, and the others' spike is found as if it had never been there."""
    volume = warm("binance", "bybit", "okx")
    feed(volume, calm(NOW, NOW + 400, ("okx",), usd=333.0))
    assert volume.seconds.due_sums[-1] / 300 / 100 == pytest.approx(333, rel=0.3)
    assert len(feed(volume, spike(NOW + 400, 15, 333.0 * 8, "okx"), Around(limit_usd=None))) == 1


def test_a_venue_that_comes_new_raises_no_alarm():
    volume = warm()
    bars = sorted(
        [*calm(NOW, NOW + 3600), *calm(NOW, NOW + 3600, ("newcomer",), usd=5_000.0)],
        key=lambda b: b.ts_event_ms,
    )
    assert feed(volume, bars) == []
    assert volume.seconds.due_sums[-1] / 300 / 100 == pytest.approx(6_000, rel=0.3)


@pytest.mark.parametrize("state", ["MUTE", "DOWN"])
def test_a_feed_that_is_mute_is_out_of_what_is_expected(state):
    """Its heartbeats go on; a living venue's silence counts as calm."""
    heartbeats = [bar(second, 0.0, "bybit") for second in range(NOW, NOW + 400, 10)]
    others = calm(NOW, NOW + 400, ("binance", "okx"), usd=667.0)
    bars = sorted([*heartbeats, *others], key=lambda b: b.ts_event_ms)
    due = {}
    for case, states in {"mute": {"bybit": state}, "live": {"bybit": "LIVE"}}.items():
        volume = warm("binance", "bybit", "okx")
        feed(volume, bars, Around(states=states))
        due[case] = volume.seconds.due_sums[-1] / 300 / 100
    assert due["mute"] == pytest.approx(667, rel=0.3)
    assert due["live"] == pytest.approx(1000, rel=0.3)


def test_a_silence_of_all_venues_begins_the_windows_anew():
    volume = warm()
    feed(volume, calm(NOW + 3600, NOW + 3605))
    assert volume.seconds.seen_sums[0] == volume.seconds.seen_sums[-1]
    assert not volume.seconds.covers(10)


def test_late_money_counts_in_the_second_that_brings_it():
    volume = warm()
    feed(volume, [bar(NOW, 1000.0, late_usd=500_000.0)], Around(per_day=0.0))
    assert volume.seconds.seen_sums[0] >= 50_000_000
    assert volume.venues["binance"].minute_cents < 50_000_000


def test_a_late_bar_counts_in_its_own_second_and_opens_no_window():
    volume = warm()
    feed(volume, calm(NOW, NOW + 30))
    at, sums = volume.seconds.now_s, list(volume.seconds.seen_sums)
    silent = next(s for s in range(NOW, NOW + 15) if not s % 9)
    feed(volume, [bar(silent, 700.0)])
    assert volume.seconds.now_s == at
    assert [b - a for a, b in zip(sums, volume.seconds.seen_sums, strict=True)] == [
        0,
        70_000,
        70_000,
    ]


def test_a_bar_of_five_seconds_is_spread_over_them():
    volume = warm()
    feed(volume, [bar(NOW, 5_000.0, length_s=5)])
    slots = [(T0 // 1000 + NOW + i) % 300 for i in range(5)]
    assert [volume.seconds.past[slot].seen for slot in slots] == [100_000] * 5


def jumbled():
    """Bars in any order, late, silent, repeated, long, and with amounts that are none."""
    usd = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1e8)
    one = st.builds(
        bar,
        st.integers(NOW - 400, NOW + 900),
        usd,
        st.sampled_from(["binance", "bybit", "okx", "newcomer"]),
        st.sampled_from([1, 1, 1, 5, 10]),
        st.floats(-1, 2),
        usd,
        largest_cluster_usd=usd,
    )
    return st.lists(one, max_size=40)


@settings(max_examples=100)
@given(jumbled(), st.integers(0, 40))
def test_a_snapshot_in_the_middle_changes_nothing(bars, cut):
    whole, part = warm("binance", "bybit", "okx"), warm("binance", "bybit", "okx")
    around = Around()
    for offset, b in enumerate(bars):
        if offset == cut:
            part = msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=Volume)
        assert whole.on_bar(b, offset, around) == part.on_bar(b, offset, around)
    assert whole == part


@settings(max_examples=100)
@given(jumbled())
def test_repeats_change_nothing(bars):
    once, twice, around = warm("binance", "bybit", "okx"), warm("binance", "bybit", "okx"), Around()
    for offset, b in enumerate(bars):
        assert once.on_bar(b, offset, around) == twice.on_bar(b, offset, around)
        before = msgspec.msgpack.encode(twice.seconds)
        if b.notional_usd > 0.01 * b.ts_event_ms - 0.01 * b.start_ms:
            assert twice.on_bar(b, offset, around) is None
            assert msgspec.msgpack.encode(twice.seconds) == before


@settings(max_examples=100)
@given(jumbled())
def test_sums_are_those_of_the_seconds_and_all_is_finite(bars):
    volume = warm("binance", "bybit", "okx")
    for _, finding in feed(volume, bars):
        assert finding.value >= finding.limit * 0.999
        assert all(math.isfinite(f.contribution) for f in finding.factors)
        assert finding.direction in {None, "up", "down"}
    seconds = volume.seconds
    for i, window in enumerate(volume.windows):
        slots = [second % 300 for second in seconds.of(window.span_s)]
        assert seconds.seen_sums[i] == sum(seconds.past[slot].seen for slot in slots)
        assert seconds.due_sums[i] == sum(seconds.past[slot].due for slot in slots)
        assert math.isfinite(window.scale.mad)


@pytest.mark.parametrize("usd", [math.nan, math.inf, -1e9, 0.0])
def test_no_amount_is_as_good_as_silence(usd):
    one, other = warm(), warm()
    feed(one, [bar(NOW, usd, late_usd=usd, largest_cluster_usd=usd)])
    feed(other, [bar(NOW, 0.0, largest_cluster_usd=0.0)])
    assert one == other


def test_the_state_of_a_coin_is_bounded():
    exchanges = tuple(f"exchange-{i}" for i in range(10))
    volume = Volume()
    for exchange in exchanges:
        for candle in candles(exchange):
            volume.on_candle(candle)
    feed(volume, calm(0, 310, exchanges, usd=1e9))
    for i in range(2_500):
        volume.scores.add(1.02**i * 1e-6, T0)
    assert len(msgspec.msgpack.encode(volume)) < 300_000
