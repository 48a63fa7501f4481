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
from oi_poller.domain.market import KEPT_MS, Market, Missing
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


def contract(coin, status="trading", venue="binance", **changes):
    return sample(
        Instrument, exchange=venue, symbol=f"{coin}USDT", coin=coin, status=status, **changes
    )


def tell(market, volumes, venue="binance", now_ms=NOW, **changes):
    """Let a venue list coins with these volumes, and decide."""
    market.learn_contracts(venue, [contract(coin, venue=venue) for coin in volumes])
    tickers = {f"{coin}USDT": ticker(coin, usd, **changes) for coin, usd in volumes.items()}
    market.learn_tickers(venue, tickers, now_ms)
    return market.decide(now_ms)


def market_of(volumes, top=60, coins=(), venues=("binance", "okx")):
    market = Market(venues, coins, top)
    tell(market, volumes)
    return market


def missing(coin, venue="binance"):
    return Missing(venue, coin, f"{coin}USDT", 721)


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


def recall(market, coin, inside=True, **known):
    stats = sample(MarketStats, coin=coin, in_universe=inside, ts_event_ms=NOW, **known)
    market.recall(stats)


def readings(premium_h=None, changed_h=None, listed_h=None):
    """Return what BTC's and ETH's open interest becomes when only BTC's premium is known."""
    market = Market(["binance"], (), 60)
    market.learn_contracts("binance", [contract("BTC", funding_interval_h=listed_h)])
    market.learn_intervals("binance", {"BTCUSDT": changed_h} if changed_h else {})
    premium = Premium(
        symbol="BTCUSDT",
        coin="BTC",
        mark_price=80_000.0,
        index_price=79_990.0,
        funding_rate=0.0001,
        next_funding_ms=NOW,
        ts_event_ms=NOW,
        funding_interval_h=premium_h,
    )
    rows = [
        OpenContracts(symbol=s, coin=s[:3], open_interest_coins=10.0, ts_event_ms=NOW)
        for s in ("BTCUSDT", "ETHUSDT")
    ]
    return market.open_interest("binance", rows, {"BTCUSDT": premium}, 8.0, NOW + 50)


class TestMarket:
    def test_statistics_say_what_is_known_and_nothing_else(self):
        (stats,) = market_of({"BTC": 5e9}).stats(NOW)
        assert (stats.price, stats.volume_24h_usd, stats.in_universe) == (100.0, 5e9, True)
        assert stats.avg_daily_volume_usd is None
        assert stats.market_cap_usd is None
        assert stats.tier is None

    def test_history_and_caps_complete_them(self):
        market = market_of({"BTC": 5e9})
        market.learn_candles(missing("BTC"), month(usd=10.0), NOW)
        market.learn_caps([bundled_caps.bundled()])
        (stats,) = market.stats(NOW)
        assert (stats.avg_daily_volume_usd, stats.volume_days) == (240.0, 30)
        assert (stats.tier, stats.market_cap_source) == ("mega", "bundled 2025-06-25")
        assert stats.volatility_daily == 0.0

    def test_volumes_of_several_venues_are_summed(self):
        market = market_of({"BTC": 5e9})
        tell(market, {"BTC": 1e9}, "okx", price=101.0)
        (stats,) = market.stats(NOW)
        assert (stats.volume_24h_usd, stats.price) == (6e9, 100.0)
        assert stats.exchanges == ("binance", "okx")

    def test_contracts_that_do_not_trade_are_left_out(self):
        market = Market(["binance"], (), 60)
        market.learn_contracts("binance", [contract("OLD", "closing"), contract("BTC")])
        market.learn_tickers(
            "binance", {"OLDUSDT": ticker("OLD", 1e9), "BTCUSDT": ticker("BTC", 1)}, NOW
        )
        market.decide(NOW)
        assert market.universe == {"BTC"}

    def test_a_coin_that_left_is_said_to_have_left_once(self):
        market = market_of({"A": 3.0, "B": 2.0}, top=1)
        tell(market, {"A": 1.0, "B": 99.0})
        assert {s.coin: s.in_universe for s in market.stats(NOW)} == {"A": False, "B": True}
        assert [s.coin for s in market.stats(NOW)] == ["B"]

    def test_coins_that_an_earlier_run_followed_are_said_to_have_left(self):
        market = Market(["binance"], ("BTC",), 60)
        for coin, inside in (("BTC", True), ("ETH", True), ("OLD", True), ("OLD", False)):
            recall(market, coin, inside)
        assert not market.listed
        assert market.universe == {"BTC", "ETH"}
        market.learn_tickers("binance", {"BTCUSDT": ticker("BTC", 1.0)}, NOW)
        assert market.universe == {"BTC", "ETH"}, "nobody knows yet what trades"
        tell(market, {"BTC": 1.0, "ETH": 1.0})
        assert {s.coin: s.in_universe for s in market.stats(NOW)} == {"BTC": True, "ETH": False}

    def test_a_coin_near_the_limit_stays_across_a_restart(self):
        market = Market(["binance"], (), 4)
        for coin in "ABCE":
            recall(market, coin)
        tell(market, dict(zip("ABCDE", (9.0, 8.0, 7.0, 6.0, 5.0), strict=True)))
        assert market.universe == set("ABCE")

    @pytest.mark.parametrize("coins", [(), ("A", "B")])
    def test_a_venue_that_fails_keeps_the_coins_that_only_it_lists_for_six_hours(self, coins):
        market = market_of({"A": 9.0}, top=2, coins=coins)
        tell(market, {"B": 8.0}, "okx")
        for passed, kept in ((6 * HOUR_MS, {"A", "B"}), (6 * HOUR_MS + 1, {"B"})):
            tell(market, {"B": 8.0}, "okx", NOW + passed)
            assert market.universe == kept

    @pytest.mark.parametrize("coins", [(), ("A", "B", "C")])
    def test_a_venue_that_fails_at_a_restart_keeps_its_coins_too(self, coins):
        market = Market(["binance", "okx"], coins, 2)
        recall(market, "A", exchanges=("okx",), volume_24h_usd=9.0)
        recall(market, "B", exchanges=("binance", "okx"), volume_24h_usd=8.0)
        tell(market, {"B": 1.0, "C": 5.0})
        assert {"A", "B"} <= market.universe
        assert "A" not in {s.coin for s in market.stats(NOW)}, "what was told last stands"
        assert not {"A", "B"}.intersection(market.unlisted())
        tell(market, {"B": 1.0, "C": 5.0}, now_ms=NOW + 6 * HOUR_MS + 1)
        assert market.universe == {"B", "C"}

    def test_a_venue_that_answers_says_itself_what_it_lists(self):
        market = Market(["binance", "okx"], (), 2)
        recall(market, "A", exchanges=("okx",), volume_24h_usd=9.0)
        recall(market, "GONE", exchanges=("bybit",), volume_24h_usd=9.0)
        tell(market, {"B": 8.0})
        assert market.universe == {"A", "B"}, "bybit is followed no more"
        tell(market, {"C": 5.0}, "okx")
        assert market.universe == {"B", "C"}

    def test_what_is_no_coin_is_left_out_unless_asked_for(self):
        volumes = {"USDC": 9e9, "PAXG": 8e9, "TSLA": 7e9, "BTC": 1e9}
        assert market_of(volumes).universe == {"BTC"}
        assert market_of(volumes, coins=("PAXG",)).universe == {"PAXG"}

    def test_what_left_three_days_ago_is_let_go_and_what_stays_is_kept(self):
        market = market_of({"BTC": 9e9, "OLD": 5e9})
        for coin in ("BTC", "OLD"):
            market.learn_candles(Missing("binance", coin, f"{coin}USDT", 721), month(), NOW)
            known = Cap(coin=coin, usd=1.0, price=None, source="a", ts_ms=NOW)
            market.learn_caps([{coin: (known,)}])
        tell(market, {"BTC": 9e9})
        held = market._candles, market._histories, market._caps
        market.forget(NOW + KEPT_MS)
        assert [len(each) for each in held] == [2, 2, 2], "it may be back"
        market.forget(NOW + KEPT_MS + 1)
        assert [len(each) for each in held] == [1, 1, 1]
        assert market.stats(NOW)[0].volume_days == 30

    def test_a_contract_of_another_coin_is_not_followed(self):
        market = market_of({"X": 5e9})
        (stranger,) = tell(market, {"X": 1e9}, "okx", price=104.0 * 1.5)
        assert (stranger.exchange, stranger.leader, stranger.price) == ("okx", "binance", 156.0)
        assert (market.symbols("binance"), market.symbols("okx")) == ({"X": "XUSDT"}, {})
        told = {c.exchange: c.followed for v in ("binance", "okx") for c in market.news(v, NOW)}
        assert told == {"binance": True, "okx": False}
        (stats,) = market.stats(NOW)
        assert (stats.volume_24h_usd, stats.exchanges) == (5e9, ("binance",))
        assert tell(market, {"X": 1e9}, "okx", price=156.0) == [], "it is told once"

    def test_a_contract_without_a_price_is_passed_over(self):
        market = market_of({"X": 5e9})
        tell(market, {"X": 9e9}, "okx", price=0.0)
        assert market.symbols("okx") == {}

    def test_a_cap_gives_way_to_newer_ones_only(self):
        def learn(usd, ms):
            cap = Cap(coin="BTC", usd=usd, price=None, source="s", ts_ms=ms)
            market.learn_caps([{"BTC": (cap,)}])
            return market.stats(NOW)[0].market_cap_usd

        market = Market(["binance"], (), 1)
        recall(market, "BTC", market_cap_usd=2e12, market_cap_source="s", market_cap_ms=NOW)
        tell(market, {"BTC": 1.0})
        assert learn(1e12, NOW - 1) == 2e12
        assert learn(1e12, NOW + 1) == 1e12

    def test_histories_are_asked_for_when_missing_or_an_hour_old(self):
        market = market_of({"BTC": 1.0})
        assert market.without_history("binance", NOW) == [missing("BTC")]
        assert market.without_history("okx", NOW) == []
        market.learn_candles(missing("BTC"), month(), NOW)
        assert market.without_history("binance", NOW) == []
        assert market.without_history("binance", NOW + HOUR_MS + 60_001)

    def test_open_interest_carries_mark_and_funding(self):
        (event,) = readings()
        assert event.open_interest_usd == 800_000.0
        assert (event.funding_rate, event.comparable_since_ms) == (0.0001, 0)

    @pytest.mark.parametrize(
        ("told", "hours"),
        [
            ({}, 8.0),
            ({"listed_h": 2.0}, 2.0),
            ({"listed_h": 2.0, "changed_h": 4.0}, 4.0),
            ({"listed_h": 2.0, "changed_h": 4.0, "premium_h": 1.0}, 1.0),
        ],
    )
    def test_funding_always_carries_its_interval(self, told, hours):
        (event,) = readings(**told)
        assert event.funding_interval_h == hours

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
    assert Market(["binance"], ("btc", "NOPE"), 60).unlisted() == []
    assert market_of({"BTC": 1e9, "ETH": 1e8}, coins=("btc", "NOPE", "B T")).unlisted() == [
        "B T",
        "NOPE",
    ]
    assert market_of({"BTC": 1e9}).unlisted() == []
