"""Volume spikes: when the detector speaks, what it says, and what it is deaf to."""

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock_schemas.events import Bar, FeedAt, Kline, Threshold
from foreshock_schemas.testing import sample
from threshold_service.domain.adaptive.volume import Volume
from threshold_service.domain.adaptive.window import Window

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_789_948_800_000  # a Monday
DAILY_USD = 86_400e3  # a thousand a second
LIMIT_USD = DAILY_USD / 96 * 3


class Around:
    """A coin of a thousand dollars a second; what nothing asks for is not there."""

    def __init__(self, per_day=3.0, limit_usd=LIMIT_USD, states=(), daily_usd=DAILY_USD):
        self.per_day, self.states = per_day, dict(states)
        self.threshold = sample(
            Threshold,
            session_multiplier=1.0,
            volume_15m_usd=limit_usd,
            avg_daily_volume_usd=daily_usd,
        )

    def budget(self, kind):
        assert kind == "volume_spike"
        return self.per_day

    def feeds(self, channel):
        return tuple(
            FeedAt(exchange=exchange, channel=channel, state=state)
            for exchange, state in self.states.items()
        )


def bar(second, usd, exchange="binance", length_s=1, bought=0.5, late_usd=0.0, **fields):
    start_ms = T0 + second * 1000
    return sample(
        Bar,
        event_id=f"{exchange}:SOL:bar:{second}",
        ts_event_ms=start_ms + length_s * 1000,
        ts_recv_ms=start_ms + length_s * 1000 + 900,
        exchange=exchange,
        coin="SOL",
        start_ms=start_ms,
        notional_usd=usd,
        **{
            "close": 150.0,
            "taker_buy_usd": usd * bought,
            "largest_cluster_usd": usd / 4,
            "late_notional_usd": late_usd,
        }
        | fields,
    )


def feed(volume, bars, around=None, offset=0):
    """Return what it found, each with the second after it."""
    around = around or Around()
    findings = []
    for b in bars:
        finding = volume.on_bar(b, offset, around)
        offset += 1
        if finding is not None:
            findings.append(((b.ts_event_ms - T0) // 1000, finding))
    return findings


def calm(start, end, exchanges=("binance",), usd=1000.0, seed=1, spread=0.5):
    """A bar each second, but for every ninth."""
    rng = random.Random(seed)
    for second in range(start, end):
        for exchange in exchanges:
            if second % 9:
                yield bar(second, usd / len(exchanges) * rng.lognormvariate(0, spread), exchange)


def candles(exchange, days=30, usd=DAILY_USD / 24):
    rng = random.Random(exchange)
    for hour in range(-days * 24, 0):
        yield sample(
            Kline,
            exchange=exchange,
            coin="SOL",
            interval="1h",
            start_ms=T0 + hour * HOUR,
            ts_event_ms=T0 + (hour + 1) * HOUR,
            notional_usd=usd * rng.lognormvariate(0, 0.2),
        )


def warmed(exchanges=("binance",), until=3 * 3600):
    """A coin with a month of history and three calm hours."""
    volume = Volume()
    for exchange in exchanges:
        for candle in candles(exchange, usd=DAILY_USD / 24 / len(exchanges)):
            volume.on_candle(candle)
    assert feed(volume, calm(0, until, exchanges)) == []
    return volume


_WARM = {
    exchanges: msgspec.msgpack.encode(warmed(exchanges))
    for exchanges in (("binance",), ("binance", "bybit", "okx"))
}
NOW = 3 * 3600


def warm(*exchanges):
    return msgspec.msgpack.decode(_WARM[exchanges or ("binance",)], type=Volume)


def spike(start, seconds, usd=20_000.0, exchange="binance", **fields):
    return [bar(second, usd, exchange, **fields) for second in range(start, start + seconds)]


def test_a_spike_is_told_within_seconds_and_once():
    volume = warm()
    found = feed(volume, [*spike(NOW, 60, usd=8_000.0), *calm(NOW + 60, NOW + 600)])
    assert len(found) == 1
    second, finding = found[0]
    assert second - NOW <= 10
    assert finding.kind == "volume_spike"
    assert finding.name == "10s"
    assert finding.budgeted
    assert finding.value >= finding.limit
    assert finding.score > finding.score_limit == pytest.approx(4.0, abs=0.2)


def test_a_slow_one_is_found_by_a_longer_window():
    volume = Volume()
    for candle in candles("binance"):
        volume.on_candle(candle)
    feed(volume, calm(0, NOW, spread=1.5), Around(per_day=0.0))
    found = feed(volume, calm(NOW, NOW + 900, usd=3_000.0, spread=1.5))
    assert found[0][1].window_s in {60, 300}


def test_a_finding_says_what_was_expected_who_took_and_where():
    volume = warm("binance", "bybit", "okx")
    bars = list(calm(NOW, NOW + 10, ("binance", "bybit", "okx")))
    for second in range(NOW + 10, NOW + 22):
        bars += [
            bar(second, 6_000.0, "binance", bought=0.8, largest_cluster_usd=5_000.0),
            bar(second, 3_000.0, "bybit", bought=0.6, mark_price=151.0),
            bar(second, 300.0, "okx", bought=0.1),
        ]
    (_, finding), *_ = feed(volume, bars, offset=70_000)
    words = " | ".join((finding.headline, *finding.reasons))
    for part in ("SOL: $", "traded in 10 s", "expected $", "Monday 03:00 UTC", "score", "limit of"):
        assert part in words
    assert "buyers were the takers of 6" in words
    assert "largest single burst $5.00k on binance" in words
    assert "on binance " in words
    assert finding.exchanges == ("binance", "bybit", "okx")
    assert finding.direction == "up"
    assert finding.baseline == pytest.approx(10_000, rel=0.3)
    assert 70_000 <= finding.since_offset <= 70_000 + len(bars)
    assert sum(f.contribution for f in finding.factors) == pytest.approx(finding.score, rel=0.01)
    assert {"binance volume, USD", "hour of the week, times"} <= {f.name for f in finding.factors}


def test_what_is_beyond_anything_is_critical_and_outside_the_budget():
    volume, broke = warm(), Around(per_day=0.0)
    assert feed(volume, spike(NOW, 30, usd=8_000.0), broke) == []
    assert volume.budget.held_back >= 1
    found = feed(warm(), spike(NOW, 60, usd=1e9), broke)
    assert len(found) == 1
    assert (found[0][1].severity, found[0][1].budgeted) == ("critical", False)


def test_a_spike_that_turns_critical_is_told_a_second_time():
    bars = [*spike(NOW, 20, usd=6_000.0), *spike(NOW + 20, 60, usd=1e9)]
    severities = [finding.severity for _, finding in feed(warm(), bars)]
    assert severities[-1] == "critical"
    assert len(severities) == 2
    assert severities[0] != "critical"


def test_what_is_not_worth_a_word_in_usd_is_not_told():
    assert feed(warm(), spike(NOW, 20), Around(limit_usd=1e9)) == []
    assert feed(warm(), spike(NOW, 20), Around(limit_usd=None))


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
    assert [volume.seconds.seen[(T0 // 1000 + NOW + i) % 300] for i in range(5)] == [100_000] * 5


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
        assert seconds.seen_sums[i] == sum(seconds.seen[slot] for slot in slots)
        assert seconds.due_sums[i] == sum(seconds.due[slot] for slot in slots)
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
