"""Volume spikes: which are told, in what words, and for what price."""

import pytest
from making_bars import NOW, Around, bar, calm, candles, feed, spike, warm

from threshold_service.domain.adaptive.volume import Volume


def test_a_spike_is_told_within_seconds_and_once():
    volume = warm()
    found = feed(volume, [*spike(NOW, 60, usd=8_000.0), *calm(NOW + 60, NOW + 600)])
    assert len(found) == 1
    second, finding = found[0]
    assert second - NOW <= 10
    assert finding.kind == "volume_spike"
    assert finding.name == "10s"
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
    assert found[0][1].severity == "critical"


def test_what_is_critical_is_told_even_below_the_limit():
    volume = warm()
    volume.budget.warm(1e3)
    found = [finding for _, finding in feed(volume, spike(NOW, 60, usd=1e9))]
    assert [each.severity for each in found] == ["critical"]
    assert found[0].score < found[0].score_limit


def test_a_spike_that_turns_critical_is_told_a_second_time():
    bars = [*spike(NOW, 20, usd=6_000.0), *spike(NOW + 20, 60, usd=1e9)]
    severities = [finding.severity for _, finding in feed(warm(), bars)]
    assert severities[-1] == "critical"
    assert len(severities) == 2
    assert severities[0] != "critical"


def test_what_is_not_worth_a_word_in_usd_is_not_told():
    assert feed(warm(), spike(NOW, 20), Around(limit_usd=1e9)) == []
    assert feed(warm(), spike(NOW, 20), Around(limit_usd=None))


def test_a_spike_that_began_before_it_might_speak_is_told_when_it_may():
    """In the last minute of its shadow, or with dynamic thresholds off."""
    shadow = Volume(heard_s=86_400 - 3_630)
    feed(shadow, calm(0, 3_600))
    assert not shadow.learned
    assert len(feed(shadow, spike(3_600, 60, usd=8_000.0))) == 1
    silent = warm()
    assert feed(silent, spike(NOW, 30, usd=8_000.0), Around(dynamic=False)) == []
    assert len(feed(silent, spike(NOW + 30, 30, usd=8_000.0))) == 1


def test_what_it_may_not_tell_is_not_spent():
    volume, before = warm(), warm().budget.bucket.tokens
    for hour in range(12):
        start = NOW + hour * 3_600
        bars = [*spike(start, 30, usd=1e9), *calm(start + 30, start + 900)]
        assert feed(volume, bars, Around(dynamic=False)) == []
    assert volume.budget.bucket.tokens == before
    assert volume.severe_told_ms == 0
    assert volume.budget.threshold > 4.5
