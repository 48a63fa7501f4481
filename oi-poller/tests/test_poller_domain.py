"""Which coins, what they are like, and when to ask again."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges.rest import OpenContracts, Premium, Ticker
from foreshock_schemas.events import Instrument, Kline, MarketStats
from foreshock_schemas.testing import sample
from oi_poller.domain import bundled_caps, caps, universe
from oi_poller.domain.caps import Cap
from oi_poller.domain.history import Candles
from oi_poller.domain.market import Market, Missing
from oi_poller.domain.schedule import Recent, until_next

HOUR_MS = 3_600_000
NOW = 1_790_000_000_000 // HOUR_MS * HOUR_MS


def kline(hours_ago, close=100.0, usd=1000.0):
    end = NOW - hours_ago * HOUR_MS
    return sample(
        Kline,
        ts_event_ms=end,
        exchange="binance",
        coin="BTC",
        interval="1h",
        start_ms=end - HOUR_MS,
        close=close,
        volume_coins=usd / close,
        notional_usd=usd,
    )


def month(**changes):
    return [kline(h, **changes) for h in reversed(range(720))]


def ticker(coin, usd, price=100.0, symbol=None):
    return Ticker(
        symbol=symbol or f"{coin}USDT",
        coin=coin,
        last_price=price,
        volume_24h_usd=usd,
        change_24h_pct=1.5,
        ts_event_ms=NOW,
    )


def contract(coin, status="trading", size=1.0, venue="binance"):
    return sample(
        Instrument,
        exchange=venue,
        symbol=f"{coin}USDT",
        coin=coin,
        contract_size=size,
        status=status,
    )


def market_of(volumes, top=60, coins=()):
    market = Market(coins, top)
    market.learn_contracts("binance", [contract(coin) for coin in volumes])
    market.learn_tickers("binance", {f"{c}USDT": ticker(c, v) for c, v in volumes.items()})
    return market


class TestUniverse:
    def test_the_most_traded_are_followed(self):
        assert universe.by_volume({"A": 3.0, "B": 2.0, "C": 1.0}, 2) == {"A", "B"}

    def test_a_coin_near_the_limit_stays(self):
        volumes = {f"C{i}": 100.0 - i for i in range(20)}
        before = universe.by_volume(volumes, 8)
        volumes["C8"] = 92.5  # now the eighth, C7 the ninth
        assert universe.by_volume(volumes, 8, before) == before

    def test_a_coin_that_rises_clearly_is_taken_in(self):
        volumes = {f"C{i}": 100.0 - i for i in range(20)}
        before = universe.by_volume(volumes, 8)
        volumes["C15"] = 1000.0
        after = universe.by_volume(volumes, 8, before)
        assert "C15" in after
        assert len(after) == 8

    def test_coins_asked_for_need_to_be_listed(self):
        assert universe.by_request(["btc", "NOSUCH"], {"BTC", "ETH"}) == {"BTC"}

    @given(
        st.dictionaries(st.text("ABCDEF", min_size=1, max_size=2), st.floats(1, 1e9)),
        st.integers(1, 20),
        st.sets(st.text("ABCDEF", min_size=1, max_size=2)),
    )
    def test_the_universe_is_full_and_never_overfull(self, volumes, top, present):
        chosen = universe.by_volume(volumes, top, frozenset(present))
        assert chosen <= set(volumes)
        assert len(chosen) == min(top, len(volumes))


def history_of(klines):
    candles = Candles()
    candles.add(klines, NOW)
    return candles.history()


class TestHistory:
    def test_a_month_has_thirty_days(self):
        made = history_of(month(usd=10.0))
        assert made.daily_usd == (240.0,) * 30
        assert made.until_ms == NOW

    def test_the_candle_still_open_is_left_out(self):
        made = history_of([*month(usd=10.0), kline(-1, usd=1e9)])
        assert made.daily_usd[-1] == 240.0

    def test_an_unfinished_first_day_is_left_out(self):
        made = history_of([kline(h, usd=10.0) for h in reversed(range(30))])
        assert made.daily_usd == (240.0,)

    def test_volatility_is_that_of_hourly_returns_for_a_day(self):
        swing = [kline(h, close=100.0 * math.exp(0.01 * (h % 2))) for h in reversed(range(720))]
        made = history_of(swing)
        assert made.volatility_daily == pytest.approx(0.01 * math.sqrt(24), rel=0.01)

    def test_too_little_history_has_no_volatility(self):
        assert history_of([kline(1), kline(0)]).volatility_daily is None
        assert history_of([]) is None

    def test_only_what_is_new_is_asked_for_and_told(self):
        candles = Candles()
        assert candles.missing(NOW) == 721
        candles.add(month(usd=10.0), NOW)
        assert candles.missing(NOW + HOUR_MS + 60_000) == 0
        assert candles.missing(NOW + HOUR_MS + 60_001) == 2, "the new one, and the one still open"
        later = [kline(0), kline(-1, usd=20.0), kline(-2)]
        assert candles.add(later, NOW + HOUR_MS) == [kline(-1, usd=20.0)]
        assert candles.history().daily_usd == (240.0,) * 29 + (250.0,)
        assert candles.missing(NOW + 9_000 * HOUR_MS) == 721

    @given(st.lists(st.integers(0, 100), max_size=20))
    def test_candles_taken_bit_by_bit_tell_the_same(self, cuts):
        whole, bits = month(usd=3.0), Candles()
        for start, end in pairwise([0, *sorted(c * 7 for c in cuts), 720]):
            bits.add(whole[max(0, start - 2) : end], NOW)
        assert bits.history() == history_of(whole)


class TestCaps:
    def cap(self, usd, price=None, source="a"):
        return Cap(coin="X", usd=usd, price=price, source=source, ts_ms=NOW)

    def test_the_first_source_that_knows_the_coin_is_believed(self):
        found = caps.choose("X", 1.0, [{}, {"X": (self.cap(5.0),)}, {"X": (self.cap(9.0),)}])
        assert found.usd == 5.0

    def test_another_coin_of_the_same_ticker_is_not_taken(self):
        sources = [{"X": (self.cap(9e9, price=40.0), self.cap(1e9, price=1.04))}]
        assert caps.choose("X", 1.0, sources).usd == 1e9
        assert caps.choose("X", 7.0, sources) is None

    def test_a_coin_whose_price_nobody_knows_takes_what_it_is_told(self):
        for unknown in (None, 0.0):
            assert caps.choose("X", unknown, [{"X": (self.cap(5.0, price=1.0),)}]).usd == 5.0

    def test_the_largest_of_several_is_taken(self):
        assert caps.choose("X", None, [{"X": (self.cap(1.0), self.cap(2.0))}]).usd == 2.0

    def test_the_bundled_table_says_its_date(self):
        (btc,) = bundled_caps.bundled()["BTC"]
        assert btc.source == f"bundled {bundled_caps.DATE}"
        assert btc.usd > 1e12


class TestMarket:
    def test_statistics_say_what_is_known_and_nothing_else(self):
        (stats,) = market_of({"BTC": 5e9}).stats(NOW)
        assert (stats.price, stats.volume_24h_usd, stats.in_universe) == (100.0, 5e9, True)
        assert stats.avg_daily_volume_usd is None
        assert stats.market_cap_usd is None
        assert stats.tier is None

    def test_history_and_caps_complete_them(self):
        market = market_of({"BTC": 5e9})
        market.learn_candles("BTC", "binance", month(usd=10.0), NOW)
        market.learn_caps([bundled_caps.bundled()])
        (stats,) = market.stats(NOW)
        assert (stats.avg_daily_volume_usd, stats.volume_days) == (240.0, 30)
        assert (stats.tier, stats.market_cap_source) == ("mega", "bundled 2025-06-25")
        assert stats.volatility_daily == 0.0

    def test_volumes_of_several_venues_are_summed(self):
        market = market_of({"BTC": 5e9})
        market.learn_contracts("okx", [contract("BTC", venue="okx")])
        market.learn_tickers("okx", {"BTCUSDT": ticker("BTC", 1e9, price=101.0)})
        (stats,) = market.stats(NOW)
        assert (stats.volume_24h_usd, stats.price) == (6e9, 100.0)
        assert stats.exchanges == ("binance", "okx")

    def test_contracts_that_do_not_trade_are_left_out(self):
        market = Market((), 60)
        market.learn_contracts("binance", [contract("OLD", "closing"), contract("BTC")])
        market.learn_tickers(
            "binance", {"OLDUSDT": ticker("OLD", 1e9), "BTCUSDT": ticker("BTC", 1)}
        )
        assert market.universe == {"BTC"}

    def test_a_coin_that_left_is_said_to_have_left_once(self):
        market = market_of({"A": 3.0, "B": 2.0}, top=1)
        market.learn_tickers("binance", {"AUSDT": ticker("A", 1.0), "BUSDT": ticker("B", 99.0)})
        assert {s.coin: s.in_universe for s in market.stats(NOW)} == {"A": False, "B": True}
        assert [s.coin for s in market.stats(NOW)] == ["B"]

    def test_coins_that_an_earlier_run_followed_are_said_to_have_left(self):
        market = Market(("BTC",), 60)
        for coin, inside in (("BTC", True), ("ETH", True), ("OLD", True), ("OLD", False)):
            market.recall(sample(MarketStats, coin=coin, in_universe=inside))
        assert not market.listed
        assert market.universe == {"BTC", "ETH"}
        market.learn_tickers("binance", {"BTCUSDT": ticker("BTC", 1.0)})
        assert market.universe == {"BTC", "ETH"}, "nobody knows yet what trades"
        market.learn_contracts("binance", [contract("BTC"), contract("ETH")])
        market.learn_tickers("binance", {"BTCUSDT": ticker("BTC", 1.0)})
        assert {s.coin: s.in_universe for s in market.stats(NOW)} == {"BTC": True, "ETH": False}

    def test_a_coin_near_the_limit_stays_across_a_restart(self):
        market = Market((), 4)
        for coin in "ABCE":
            market.recall(sample(MarketStats, coin=coin, in_universe=True))
        market.learn_contracts("binance", [contract(coin) for coin in "ABCDE"])
        volumes = dict(zip("ABCDE", (9.0, 8.0, 7.0, 6.0, 5.0), strict=True))
        market.learn_tickers("binance", {f"{c}USDT": ticker(c, v) for c, v in volumes.items()})
        assert market.universe == set("ABCE")

    def test_a_cap_gives_way_to_newer_ones_only(self):
        def learn(usd, ms):
            cap = Cap(coin="BTC", usd=usd, price=None, source="s", ts_ms=ms)
            market.learn_caps([{"BTC": (cap,)}])
            return market.stats(NOW)[0].market_cap_usd

        market = Market((), 1)
        known = {"market_cap_usd": 2e12, "market_cap_source": "s", "market_cap_ms": NOW}
        market.recall(sample(MarketStats, coin="BTC", in_universe=True, **known))
        market.learn_contracts("binance", [contract("BTC")])
        market.learn_tickers("binance", {"BTCUSDT": ticker("BTC", 1.0)})
        assert learn(1e12, NOW - 1) == 2e12
        assert learn(1e12, NOW + 1) == 1e12

    def test_only_new_and_changed_contracts_are_news(self):
        market = Market((), 60)
        assert len(market.learn_contracts("binance", [contract("A"), contract("B")])) == 2
        changed = market.learn_contracts("binance", [contract("A", "closing"), contract("B")])
        assert [c.coin for c in changed] == ["A"]

    def test_histories_are_asked_for_when_missing_or_an_hour_old(self):
        market = market_of({"BTC": 1.0})
        assert market.without_history(NOW) == [Missing("binance", "BTC", "BTCUSDT", 721)]
        market.learn_candles("BTC", "binance", month(), NOW)
        assert market.without_history(NOW) == []
        assert market.without_history(NOW + HOUR_MS + 60_001)

    def test_open_interest_carries_mark_funding_and_its_interval(self):
        market = market_of({"BTC": 1.0})
        market.learn_intervals("binance", {"BTCUSDT": 4.0})
        premium = Premium(
            symbol="BTCUSDT",
            coin="BTC",
            mark_price=80_000.0,
            index_price=79_990.0,
            funding_rate=0.0001,
            next_funding_ms=NOW,
            ts_event_ms=NOW,
        )
        rows = [
            OpenContracts(symbol=s, coin=s[:3], open_interest_coins=10.0, ts_event_ms=NOW)
            for s in ("BTCUSDT", "ETHUSDT")
        ]
        (event,) = market.open_interest("binance", rows, {"BTCUSDT": premium}, 8.0, NOW + 50)
        assert event.open_interest_usd == 800_000.0
        assert (event.funding_interval_h, event.funding_rate) == (4.0, 0.0001)

    def test_coins_asked_for_win_over_volume(self):
        assert market_of({"BTC": 5.0, "ETH": 4.0, "SOL": 3.0}, coins=("SOL",)).universe == {"SOL"}


def test_polls_fall_on_the_minute():
    assert until_next(NOW, 60) == 60.0
    assert until_next(NOW + 59_500, 60) == 0.5


def test_an_answer_is_kept_thirty_seconds():
    recent = Recent(30_000)
    recent.put("a", b"x", NOW)
    assert recent.get("a", NOW + 29_999) == b"x"
    assert recent.get("a", NOW + 30_000) is None
    recent.put("b", b"y", NOW + 30_000)
    assert recent._kept.keys() == {"b"}


def test_coins_that_no_exchange_lists_are_named_once_one_has_said_what_it_trades():
    assert Market(("btc", "NOPE"), 60).unlisted() == []
    assert market_of({"BTC": 1e9, "ETH": 1e8}, coins=("btc", "NOPE", "B T")).unlisted() == [
        "B T",
        "NOPE",
    ]
    assert market_of({"BTC": 1e9}).unlisted() == []
