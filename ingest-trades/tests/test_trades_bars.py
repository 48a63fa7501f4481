"""One-second bars: when they close, what they hold, what comes late."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges.base import MarkPrice
from foreshock_schemas.events import Trade
from ingest_trades.domain.bars import Bars

T0 = 1_790_000_000_000


def trade(at_ms, price=100.0, usd=50.0, side="buy", coin="BTC"):
    return Trade(
        event_id=f"binance:{coin}USDT:aggTrade:{at_ms}",
        ts_event_ms=T0 + at_ms,
        ts_recv_ms=T0 + at_ms + 5,
        exchange="binance",
        symbol=f"{coin}USDT",
        coin=coin,
        aggressor=side,
        price=price,
        size_coins=usd / price,
        notional_usd=usd,
    )


def mark(at_ms, price=100.0, coin="BTC"):
    return MarkPrice(
        exchange="binance",
        symbol=f"{coin}USDT",
        coin=coin,
        mark_price=price,
        index_price=None,
        ts_event_ms=T0 + at_ms,
        ts_recv_ms=T0 + at_ms,
    )


def play(*events):
    bars, closed = Bars("binance"), []
    for event in events:
        bars.on_trade(event) if isinstance(event, Trade) else bars.on_mark(event)
        closed += bars.close(event.ts_recv_ms)
    return closed


def test_a_bar_closes_one_second_after_its_second():
    assert not play(trade(200), trade(1999))
    (bar,) = play(trade(200), trade(2000))
    assert (bar.start_ms, bar.ts_event_ms) == (T0, T0 + 1000)
    assert bar.event_id == f"binance:BTC:bar:{T0 // 1000}"


def test_a_bar_holds_its_second():
    (bar,) = play(
        trade(0, 100, 10),
        trade(300, 105, 20, "sell"),
        trade(600, 95, 30),
        trade(999, 98, 5),
        trade(2000),
    )
    assert (bar.open, bar.high, bar.low, bar.close) == (100, 105, 95, 98)
    assert (bar.notional_usd, bar.taker_buy_usd, bar.trades) == (65, 45, 4)


def test_the_largest_cluster_is_one_side_within_100_ms():
    (bar,) = play(
        trade(0, usd=10), trade(50, usd=20), trade(60, usd=500, side="sell"),
        trade(200, usd=15), trade(300, usd=16), trade(301, usd=17), trade(2000),
    )  # fmt: skip
    assert bar.largest_cluster_usd == 500
    (bar,) = play(trade(0, usd=10), trade(100, usd=20), trade(101, usd=40), trade(2000))
    assert bar.largest_cluster_usd == 40


def test_what_comes_late_is_money_of_the_next_bar():
    closed = play(trade(0), trade(2000), trade(500, usd=7), trade(4000))
    assert [bar.late_notional_usd for bar in closed] == [0, 7]
    assert closed[0].notional_usd == 50


def test_money_of_over_two_minutes_ago_is_of_no_bar():
    closed = play(
        trade(0), trade(200_000), trade(79_000, usd=7), trade(78_999, usd=9), trade(202_000)
    )
    assert [bar.late_notional_usd for bar in closed] == [0, 7]


def test_coins_have_bars_of_their_own():
    closed = play(trade(0), trade(1, coin="ETH"), trade(2000))
    assert {bar.coin for bar in closed} == {"BTC", "ETH"}


def test_seconds_without_trades_make_no_bar_but_every_ten_seconds_the_coin_is_heard_of():
    closed = play(*(mark(second * 1000, price=100 + second) for second in range(26)))
    assert [bar.trades for bar in closed] == [0, 0]
    assert closed[1].start_ms - closed[0].start_ms == 10_000
    assert closed[0].open is None
    assert closed[1].mark_price == 121


def test_a_bar_knows_the_mark_price():
    (bar,) = play(mark(10, price=99.5), trade(20), trade(2000))
    assert bar.mark_price == 99.5


def test_a_start_in_the_middle_waits_for_nothing_older():
    bars = Bars("binance")
    bars.on_trade(trade(5500))
    assert bars.close(T0) == []


def untimed(recv_ms):
    return msgspec.structs.replace(mark(recv_ms), ts_event_ms=None)


@pytest.mark.parametrize("ahead_ms", [-90_000, -2_000, 0, 2_000, 90_000])
def test_where_marks_carry_no_time_a_clock_of_ours_that_is_wrong_makes_no_trade_late(ahead_ms):
    bars, closed = Bars("hyperliquid"), []
    for number in range(300):
        at_ms = number * 100
        recv_ms = at_ms + ahead_ms
        came = trade(at_ms, usd=10)
        bars.on_trade(msgspec.structs.replace(came, ts_recv_ms=T0 + recv_ms))
        bars.on_mark(untimed(recv_ms + 50))
        closed += bars.close(T0 + recv_ms)
    assert [bar.start_ms - T0 for bar in closed] == [second * 1000 for second in range(28)]
    assert {(bar.trades, bar.late_notional_usd) for bar in closed} == {(10, 0.0)}


def test_a_clock_of_ours_that_was_ahead_before_the_first_trade_is_found_out():
    bars, closed = Bars("hyperliquid"), []
    bars.on_mark(untimed(20_000))
    for number in range(300):
        came = trade(number * 100, usd=10)
        bars.on_trade(msgspec.structs.replace(came, ts_recv_ms=T0 + number * 100 + 20_000))
        bars.on_mark(untimed(number * 100 + 20_000))
        closed += bars.close(T0 + number * 100)
    assert sum(bar.trades for bar in closed) == 140
    assert sum(bar.late_notional_usd for bar in closed) == 1400


def test_where_marks_carry_no_time_calm_is_told_by_our_clock():
    closed = play(trade(0), *(untimed(second * 1000) for second in range(1, 36)))
    assert [bar.trades for bar in closed] == [1, 0, 0]
    assert [bar.start_ms - T0 for bar in closed] == [0, 10_000, 20_000]
    closed = play(*(untimed(second * 1000) for second in range(36)))
    assert [bar.start_ms - T0 for bar in closed] == [4_000, 14_000, 24_000]


def test_of_a_closed_second_it_is_told_when_its_last_trade_came_not_when_it_closed():
    told = []
    bars = Bars("binance", lambda *second: told.append(second))
    for each in (trade(200), trade(700), trade(300, coin="ETH"), mark(60_000)):
        bars.on_trade(each) if isinstance(each, Trade) else bars.on_mark(each)
    bars.close(T0 + 60_000)
    assert told == [("BTC", T0, T0 + 705), ("ETH", T0, T0 + 305)]


TRADES = st.lists(
    st.builds(
        trade,
        st.integers(0, 30_000),
        st.floats(90, 110),
        st.floats(1, 1e6),
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["BTC", "ETH"]),
    ),
    max_size=80,
)


@given(TRADES)
def test_no_money_is_lost_or_counted_twice(trades):
    closed = play(*trades, *(mark(at, coin=c) for at in (33_000, 60_000) for c in ("BTC", "ETH")))
    for coin in ("BTC", "ETH"):
        held = sum(b.notional_usd + b.late_notional_usd for b in closed if b.coin == coin)
        assert held == pytest.approx(sum(t.notional_usd for t in trades if t.coin == coin))


@given(TRADES)
def test_bars_come_once_and_in_order(trades):
    closed = play(*trades, mark(60_000))
    keys = [(bar.coin, bar.start_ms) for bar in closed]
    assert len(keys) == len(set(keys))
    assert [b.start_ms for b in closed] == sorted(b.start_ms for b in closed)
    for bar in closed:
        if bar.trades:
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.largest_cluster_usd <= bar.notional_usd * (1 + 1e-9)
            assert bar.taker_buy_usd <= bar.notional_usd * (1 + 1e-9)
