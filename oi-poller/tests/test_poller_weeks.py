"""15-minute candles: a week's at the start, what a gap leaves out, and each of them once."""

import httpx
import pytest
from msgspec.structs import replace

from foreshock_schemas.events import Kline
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import KLINES, MARKET_STATS
from oi_poller.domain.weeks import Weeks

MINUTE = 60_000
QUARTER = 15 * MINUTE
HOUR = 4 * QUARTER
NOW = 1_790_000_000_000 // HOUR * HOUR
WEEK = 7 * 24 * 4
SYMBOL = "BTC-PERP"
CANDLE = sample(Kline, interval="15m", symbol=SYMBOL)


def page(oldest, newest, now_ms=NOW):
    """Candles by how many quarters ago they ended; -1 is the one still open."""
    ends = (now_ms // QUARTER * QUARTER - ago * QUARTER for ago in range(oldest, newest - 1, -1))
    return [replace(CANDLE, start_ms=end - QUARTER, ts_event_ms=end) for end in ends]


@pytest.fixture
def weeks():
    made = Weeks(MINUTE)
    made.heard([SYMBOL], NOW)
    return made


def load(weeks, now_ms, count=WEEK):
    new = weeks.add(SYMBOL, page(count - 1, -1, now_ms), now_ms)
    weeks.complete(SYMBOL, now_ms)
    return new


def hear(weeks, since_ms, until_ms):
    for now_ms in range(since_ms, until_ms + 1, MINUTE):
        weeks.heard([SYMBOL], now_ms)


def test_a_week_is_missing_of_a_contract_that_was_heard_and_none_of_another(weeks):
    assert weeks.missing(SYMBOL, NOW) == WEEK + 1
    assert weeks.missing("ETH-PERP", NOW) == 0


def test_the_candle_that_is_open_is_left_out(weeks):
    assert load(weeks, NOW) == page(WEEK - 1, 0)
    assert weeks.missing(SYMBOL, NOW + 24 * HOUR) == 0


def test_the_candle_in_which_it_was_heard_first_follows_when_it_is_over():
    began = NOW + 5 * MINUTE
    weeks = Weeks(MINUTE)
    weeks.heard([SYMBOL], began)
    load(weeks, began)
    over = NOW + QUARTER
    assert weeks.missing(SYMBOL, over + MINUTE) == 0
    assert weeks.missing(SYMBOL, over + MINUTE + 1) == 2
    assert load(weeks, over + MINUTE + 1, 2) == page(0, 0, over)
    assert weeks.missing(SYMBOL, NOW + 24 * HOUR) == 0


def test_a_load_that_breaks_off_goes_on_where_it_was_though_pages_come_again(weeks):
    assert weeks.add(SYMBOL, page(299, -1), NOW) == page(299, 0)
    weeks.put_off(SYMBOL, NOW)
    later = NOW + 10 * MINUTE
    assert weeks.missing(SYMBOL, later - 1) == 0
    assert weeks.missing(SYMBOL, later) == WEEK + 1
    assert weeks.add(SYMBOL, page(299, -1), later) == []
    assert weeks.add(SYMBOL, page(599, 300), later) == page(599, 300)
    weeks.complete(SYMBOL, later)
    assert weeks.missing(SYMBOL, later) == 0


def test_what_passed_in_a_gap_is_missing_once_and_nothing_before(weeks):
    load(weeks, NOW)
    hear(weeks, NOW, NOW + 2 * HOUR)
    back = NOW + 3 * HOUR
    hear(weeks, back, back)
    assert weeks.missing(SYMBOL, back) == 5
    assert load(weeks, back, 5) == page(3, 0, back)
    hear(weeks, back, back + HOUR)
    assert weeks.missing(SYMBOL, back + HOUR) == 0


def test_a_gap_while_the_week_is_missing_still_leaves_a_week_missing(weeks):
    weeks.heard([SYMBOL], NOW + HOUR)
    assert weeks.missing(SYMBOL, NOW + HOUR) == WEEK + 1


@pytest.mark.parametrize(("poll_ms", "gap"), [(MINUTE, 15 * MINUTE), (HOUR, 3 * HOUR)])
def test_three_polls_or_fifteen_minutes_without_it_are_no_gap_yet(poll_ms, gap):
    for silent_ms, expected in ((gap, False), (gap + 1, True)):
        weeks = Weeks(poll_ms)
        weeks.heard([SYMBOL], NOW)
        load(weeks, NOW)
        weeks.heard([SYMBOL], NOW + silent_ms)
        assert bool(weeks.missing(SYMBOL, NOW + silent_ms + HOUR)) == expected


def test_a_contract_without_candles_is_asked_again_after_ten_minutes(weeks):
    assert load(weeks, NOW, 0) == []
    assert weeks.missing(SYMBOL, NOW + 10 * MINUTE - 1) == 0
    assert weeks.missing(SYMBOL, NOW + 10 * MINUTE) == WEEK + 1


def test_a_contract_not_heard_for_three_days_is_new(weeks):
    load(weeks, NOW)
    weeks.heard([], NOW + 3 * 24 * HOUR + 1)
    assert weeks.missing(SYMBOL, NOW + 3 * 24 * HOUR + 1) == 0
    weeks.heard([SYMBOL], NOW + 3 * 24 * HOUR + 1)
    assert weeks.missing(SYMBOL, NOW + 3 * 24 * HOUR + 1) == WEEK + 1


def quarters(world, exchange, coin="BTC"):
    """Return what was published of a contract, in the order of publication."""
    return [
        each
        for each in world.publisher.on(KLINES)
        if (each.interval, each.exchange, each.coin) == ("15m", exchange, coin)
    ]


def test_a_week_is_published_once_the_newest_page_first(played):
    async def play(world):
        await world.play(3 * 3_600)
        for name in world.hosts:
            for coin in ("BTC", "PEPE"):
                told = quarters(world, name, coin)
                ends = [each.ts_event_ms for each in told]
                assert len(ends) == len({*ends}) >= WEEK
                assert max(ends[:299]) > max(ends[299:-1]), "the newest page, then older ones"
                assert ends[:299] == sorted(ends[:299])
            assert world.hosts[name].asked.count("/quarters") <= 2 * 4

    played(play)


def test_open_interest_and_statistics_come_first(played):
    async def play(world):
        await world.play(600)
        at = [topic for topic, event in world.publisher.records if not _hourly(event)]
        assert at.index(KLINES) > at.index(MARKET_STATS)
        assert len(world.read("a")) == 10

    played(play)


def _hourly(event):
    return isinstance(event, Kline) and event.interval == "1h"


def test_while_histories_of_an_hour_hang_no_other_candle_is_asked_for(played):
    async def play(world):
        world.hosts["a"].silent = {"/klines"}
        await world.play(59)
        assert "/quarters" not in world.hosts["a"].asked
        assert quarters(world, "b")

    played(play)


def test_a_page_that_fails_is_asked_for_again_and_no_candle_told_twice(played):
    async def play(world):
        host = world.hosts["a"]
        answer = host.body

        def body(path, params, request):
            if path == "/quarters" and "cursor" in params:
                raise httpx.ConnectError("gone")
            return answer(path, params, request)

        host.body = body
        await world.play(300)
        assert len(quarters(world, "a")) == 299
        host.body = answer
        world.context.stop.clear()
        await world.play(900)
        ends = [each.ts_event_ms for each in quarters(world, "a")]
        assert len(ends) == len({*ends}) == WEEK

    played(play)


def test_a_venue_that_refuses_is_not_asked_for_the_next_contract(played):
    async def play(world):
        host = world.hosts["a"]
        host.answers["/quarters"] = httpx.Response(429, headers={"retry-after": "3600"})
        await world.play(300)
        assert host.asked.count("/quarters") == 1
        assert len(quarters(world, "b")) >= WEEK

    played(play)


def test_what_passed_while_a_venue_was_away_is_published_when_it_is_back(played):
    async def play(world):
        await world.play(600)
        before = len(quarters(world, "a"))
        host = world.hosts["a"]
        host.answers["/info"] = httpx.Response(500)
        world.context.stop.clear()
        await world.play(3_600)
        assert len(quarters(world, "a")) == before
        host.answers.clear()
        world.context.stop.clear()
        await world.play(1_800)
        ends = [each.ts_event_ms for each in quarters(world, "a")]
        assert len(ends) == len({*ends})
        missed = {world.clock.start_ms + n * QUARTER for n in range(1, 5)}
        assert missed <= {*ends}

    played(play)
