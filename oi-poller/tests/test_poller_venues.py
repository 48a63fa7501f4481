"""Several venues at once: each answers in its own way, and none waits for another."""

import asyncio
from itertools import groupby
from operator import itemgetter

import httpx
import pytest
import structlog
from msgspec.structs import replace
from prometheus_client import REGISTRY

from foreshock_schemas.events import Kline
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import (
    FEED_HEALTH,
    INSTRUMENTS,
    KLINES,
    MARKET_STATS,
    OPEN_INTEREST,
)
from oi_poller import metrics
from oi_poller.edge.market_caps import MarketCaps

HOUR_MS = 3_600_000


def on(records, topic):
    return [event for where, event in records if where is topic]


def test_sizes_in_contracts_are_read_once_the_contracts_are_known(played):
    async def play(world):
        told = await world.round()
        readings = {(r.exchange, r.coin): r for r in on(told, OPEN_INTEREST)}
        assert set(readings) == {(v, c) for v in "ab" for c in ("BTC", "PEPE")}
        assert readings["a", "BTC"].open_interest_coins == pytest.approx(0.5)
        assert readings["a", "BTC"].open_interest_usd == pytest.approx(40_000.0)
        assert readings["a", "PEPE"].open_interest_coins == pytest.approx(500.0)
        assert readings["a", "BTC"].funding_interval_h == 4.0, "as the contract says"
        assert {(c.exchange, c.symbol) for c in on(told, INSTRUMENTS)} == {
            (venue, f"{coin}-PERP") for venue in "ab" for coin in ("BTC", "1000PEPE")
        }
        assert world.hosts["a"].asked.count("/info") == 1, "one answer tells all three"

    played(play)


MANY = {f"C{n}": (100.0, 1e6) for n in range(250)}


def test_contracts_and_tiers_come_in_pages(played):
    async def play(world):
        world.hosts["a"].tiers_page = 10
        told = on(await world.round(), INSTRUMENTS)
        assert world.hosts["a"].asked.count("/instruments") == 3
        assert len({c.symbol for c in told if c.exchange == "a"}) == 250
        assert world.hosts["a"].asked.count("/tiers") == 15, "20 contracts at once, 10 a page"
        assert sum(bool(c.tiers) for c in told if c.exchange == "a") == 150

    played(play, coins=MANY, top=150)


def test_pages_without_end_are_no_answer_and_close_no_contract(played):
    async def play(world):
        await world.round()
        world.hosts["a"].following = lambda start, *_: {"next": str(start + 1)}
        await asyncio.sleep(3600)
        told = await world.round()
        assert world.hosts["a"].asked.count("/instruments") == 101
        assert not on(told, INSTRUMENTS)
        assert {r.exchange for r in on(told, OPEN_INTEREST)} == {"a", "b"}

    played(play)


@pytest.mark.parametrize(("path", "nothing"), [("/instruments", {"rows": []}), ("/info", [])])
def test_an_empty_list_closes_no_contract_and_drops_no_coin(played, path, nothing):
    async def play(world):
        await world.round()
        for host in world.hosts.values():
            host.answers[path] = httpx.Response(200, json=nothing)
        await asyncio.sleep(3600)
        assert not on(await world.round(), INSTRUMENTS)
        assert world.market.universe == {"BTC", "PEPE"}

    played(play)


def test_listings_and_delistings_are_followed_while_running(played):
    async def play(world):
        await world.round()
        for host in world.hosts.values():
            host.coins = {"BTC": (80_000.0, 8e9), "NEW": (1.0, 1e9)}
        await asyncio.sleep(3600)
        told = await world.round()
        assert {(c.exchange, c.coin, c.status) for c in on(told, INSTRUMENTS)} == {
            (venue, *what) for venue in "ab" for what in (("NEW", "trading"), ("PEPE", "closed"))
        }
        assert {s.coin: s.in_universe for s in on(told, MARKET_STATS)} == {
            "BTC": True,
            "NEW": True,
            "PEPE": False,
        }
        assert {r.coin for r in on(told, OPEN_INTEREST)} == {"BTC", "NEW"}

    played(play)


def test_tiers_are_asked_for_each_hour_and_told_when_they_change(played):
    async def play(world):
        await world.round()
        world.hosts["a"].rate = 0.02
        await asyncio.sleep(1800)
        assert not on(await world.round(), INSTRUMENTS)
        await asyncio.sleep(1800)
        told = on(await world.round(), INSTRUMENTS)
        assert {(c.exchange, c.coin, c.tiers[0].rate) for c in told} == {
            ("a", "BTC", 0.02),
            ("a", "PEPE", 0.02),
        }
        world.hosts["a"].answers["/tiers"] = httpx.Response(500)
        await asyncio.sleep(3600)
        assert on(await world.round(), OPEN_INTEREST)

    played(play)


def test_a_venue_that_never_answers_delays_no_other(played):
    async def play(world):
        world.hosts["b"].silent = {"/instruments", "/info", "/klines"}
        await world.play(190)
        assert world.read("a") == [15.0, 60.0, 120.0, 180.0], "the first waits for b, but not long"
        assert world.read("b") == []
        assert world.publisher.on(MARKET_STATS)[0].ts_event_ms <= world.clock.start_ms + 20_000
        assert world.health("b")[0] == ("DOWN", 50)

    played(play)


def test_a_venue_that_stops_answering_is_given_up_before_its_next_minute(played):
    async def play(world):
        async def stop_and_go():
            await asyncio.sleep(70)
            world.hosts["b"].silent = {"/info", "/klines"}
            await asyncio.sleep(220)
            world.hosts["b"].silent = set()

        async with asyncio.TaskGroup() as group:
            group.create_task(stop_and_go())
            await world.play(370)
        assert world.read("a") == [0.0, 60.0, 120.0, 180.0, 240.0, 300.0, 360.0]
        assert world.read("b") == [0.0, 60.0, 300.0, 360.0]
        changes = [next(same) for _, same in groupby(world.health("b"), itemgetter(0))]
        assert changes == [("LIVE", 0), ("DOWN", 290), ("LIVE", 300)], "after three polls"

    played(play)


def test_single_polls_that_fail_are_a_reason_and_no_state(played):
    async def play(world):
        async def fail_every_other():
            for _ in range(6):
                world.hosts["b"].answers["/info"] = httpx.Response(503)
                await asyncio.sleep(60)
                del world.hosts["b"].answers["/info"]
                await asyncio.sleep(60)

        async with asyncio.TaskGroup() as group:
            group.create_task(world.play(750))
            await asyncio.sleep(30)
            group.create_task(fail_every_other())
        told = [h for h in world.publisher.on(FEED_HEALTH) if h.exchange == "b"]
        assert {each.state for each in told} == {"LIVE"}
        assert any("a poll failed: b/info answered 503" in each.reason for each in told)

    played(play)


def test_a_venue_that_refuses_is_down_at_once_and_back_with_the_next_answer(played):
    async def play(world):
        await world.round()
        for _ in range(4):
            await asyncio.sleep(60)
            world.hosts["b"].answers["/info"] = httpx.Response(429, headers={"retry-after": "30"})
            await world.round()
            assert world.health("b")[-1][0] == "DOWN"
            del world.hosts["b"].answers["/info"]
            await asyncio.sleep(60)
            await world.round()
            assert world.health("b")[-1][0] == "LIVE"

    played(play)


def test_a_history_that_fails_meanwhile_is_no_poll_that_failed(played):
    async def play(world):
        world.hosts["b"].answers["/klines"] = httpx.Response(400, text="no such contract")
        await world.round()
        poll = world.polls["b"]
        await asyncio.sleep(60)
        until_s = asyncio.get_running_loop().time() + 50
        await poll.read_tickers(until_s)
        poll._calm.set()
        await poll.catch_up(until_s)
        world.venues["b"]._rest.read_premiums = lambda *_: []
        await poll.read_open_interest(until_s)
        told = [h for h in world.publisher.on(FEED_HEALTH) if h.exchange == "b"]
        assert "no such contract" not in told[-1].reason
        assert told[-1].state == "LIVE"

    played(play)


def test_how_long_a_poll_took_counts_from_its_first_question(played):
    def took():
        name = "foreshock_oi_poller_poll_seconds_sum"
        return REGISTRY.get_sample_value(name, {"exchange": "a"}) or 0.0

    async def play(world):
        await world.round()
        await asyncio.sleep(60)
        before, until_s = took(), asyncio.get_running_loop().time() + 50
        await world.polls["a"].read_tickers(until_s)
        await asyncio.sleep(7)
        await world.polls["a"].read_open_interest(until_s)
        assert took() - before == pytest.approx(7.0)

    played(play)


def test_states_of_the_polls_are_repeated_each_minute_with_their_reason(played):
    async def play(world):
        world.hosts["b"].answers["/info"] = httpx.Response(503)
        await world.play(130)
        assert [state for state, _ in world.health("a")] == ["LIVE"] * 3
        (first, *_, last) = [h for h in world.publisher.on(FEED_HEALTH) if h.exchange == "b"]
        assert (first.state, last.state, last.since_ms) == ("DOWN", "DOWN", first.since_ms)
        assert "b/info answered 503" in last.reason
        assert last.channel == "open-interest"
        await world.poller.stopped()
        assert world.health("a")[-1] == ("DOWN", 130)

    played(play)


@pytest.mark.parametrize(
    "refusal", [httpx.Response(451), httpx.Response(403, text="not available in your country")]
)
def test_a_venue_that_does_not_serve_this_place_is_told_once_and_asked_each_hour(played, refusal):
    async def play(world):
        with structlog.testing.capture_logs() as lines:
            world.hosts["b"].answers["/instruments"] = refusal
            await world.play(2 * 3600 + 30)
        (told,) = [line for line in lines if line["log_level"] == "error"]
        assert (told["event"], told["exchange"]) == ("venue_unavailable", "b")
        assert "EXCHANGE_REST_URLS" in told["advice"]
        assert not [line for line in lines if line["log_level"] == "warning"]
        assert world.hosts["b"].asked == ["/instruments"] * 3
        assert len(world.read("a")) == 121

    played(play)


def test_another_coin_of_the_same_ticker_is_logged_once_counted_and_not_followed(played):
    async def play(world):
        world.hosts["b"].coins = {"BTC": (80_000.0, 1e9), "1000PEPE": (12.3, 1e8)}
        counted = metrics.STRANGERS.labels("b")._value
        before = counted.get()
        with structlog.testing.capture_logs() as lines:
            await world.play(130)
        (told,) = [line for line in lines if line["event"] == "same_ticker_other_coin"]
        assert (told["exchange"], told["symbol"], told["leader"]) == ("b", "1000PEPE-PERP", "a")
        assert counted.get() == before + 1
        assert {r.coin for r in world.publisher.on(OPEN_INTEREST) if r.exchange == "b"} == {"BTC"}
        told = {c.coin: c.followed for c in world.publisher.on(INSTRUMENTS) if c.exchange == "b"}
        assert told == {"BTC": True, "PEPE": False}

    played(play)


def test_a_venue_without_history_has_none_and_is_not_asked_again(played):
    async def play(world):
        world.venues["b"]._rest.klines = lambda *_: None
        told = await world.round()
        assert {k.exchange for k in on(told, KLINES)} == {"a"}
        await asyncio.sleep(60)
        assert not on(await world.round(), MARKET_STATS), "nothing was learned"

    played(play)


def test_a_month_of_candles_is_read_page_by_page_until_it_is_whole(played):
    async def play(world):
        venue, host, asked = world.venues["a"], world.hosts["a"], []
        newest = world.clock.now_ms() // HOUR_MS
        await venue.instruments()

        def read_klines(body, symbol, *_):
            last = newest - 299 * len(asked)
            asked.append(symbol)
            hours = range(last - 299, last + 1)
            return [sample(Kline, ts_event_ms=h * HOUR_MS, start_ms=h * HOUR_MS) for h in hours]

        venue._rest.read_klines = read_klines
        venue._rest.next_page = lambda request, _: replace(
            request, params=(*request.params, ("page", str(len(asked))))
        )
        klines = await venue.klines("BTC-PERP", "1h", 721)
        assert len(asked) == host.asked.count("/klines") == 3, "no fourth, though there is one"
        hours = [kline.start_ms // HOUR_MS for kline in klines]
        assert hours == list(range(newest - 897, newest + 1)), "each once, oldest first"

    played(play)


def test_a_contract_without_candles_is_asked_again_after_ten_minutes(played):
    async def play(world):
        world.hosts["a"].answers["/klines"] = httpx.Response(200, json=[])
        await world.play(590)
        assert world.hosts["a"].asked.count("/klines") == 2
        world.hosts["a"].answers.clear()

    played(play)


def test_histories_that_hang_hold_up_statistics_for_a_while_only(played):
    async def play(world):
        world.hosts["b"].silent = {"/klines"}
        await world.play(200)
        assert len(world.read("b")) == 4
        first = world.publisher.on(MARKET_STATS)[0]
        assert first.ts_event_ms <= world.clock.start_ms + 80_000
        assert first.volume_days == 1

    played(play)


def test_tiers_and_caps_that_hang_hold_up_statistics_for_45_s(played):
    async def play(world):
        world.hosts["a"].silent = {"/tiers"}

        async def supply(_):
            await asyncio.Event().wait()

        world.venues["a"].supply = supply
        world.poller._caps = MarketCaps(["a", "bundled"], [*world.venues.values()], {})
        told = on(await world.round(), MARKET_STATS)
        assert {s.ts_event_ms for s in told} == {world.clock.start_ms + 45_000}
        assert {s.market_cap_source.split()[0] for s in told} == {"bundled"}

    played(play)


def test_an_exchange_that_is_not_followed_is_no_source_of_caps(played):
    async def play(world):
        stats = on(await world.round(), MARKET_STATS)
        assert {s.market_cap_source.split()[0] for s in stats} == {"bundled"}

    played(play)
