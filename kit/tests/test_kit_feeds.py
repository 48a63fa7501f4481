"""How a channel is, its sockets taken together, and which of them stay when contracts change."""

import asyncio
from contextlib import asynccontextmanager

from prometheus_client import REGISTRY
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError

from foreshock_kit import feed_health
from foreshock_kit.feeds import follow_feeds
from foreshock_kit.service import Context
from foreshock_kit.testing import MemoryPublisher, eventually
from foreshock_kit.testing.feed import Feed
from foreshock_kit.universe import Universe
from foreshock_kit.ws import CONNECTED, LAST_FRAME
from foreshock_schemas.topics import FEED_HEALTH


class Watch:
    """Hands out one selection of contracts after another."""

    def __init__(self):
        self.selections = asyncio.Queue()
        self.universe = Universe()
        self.desk = None

    def choose(self, *symbols):
        self.selections.put_nowait(symbols)

    async def contracts_other_than(self, exchange, known):
        return await self.selections.get()


class Desk:
    """A socket for each contract."""

    exchange = "binance"

    def __init__(self, url, channel):
        self.url = url
        self.channel = channel
        self.frames = []

    def feeds(self, contracts):
        return [Feed(url=self.url, hello=(symbol,)) for symbol in contracts]

    def learn(self, contracts):
        self.known = contracts

    async def accompany(self, teller):
        self.teller = teller

    def judge(self, state, reason, now_ms):
        return state, reason

    async def on_frame(self, frame, since_ms):
        self.frames.append(frame)
        return "market"


class Venue:
    """Echoes what it hears, except of `MUTE...`; knows who is connected."""

    def __init__(self):
        self.open = {}
        self.heard = []
        self.cut = 0

    async def talk(self, socket):
        try:
            async for word in socket:
                self.heard.append(word)
                self.open[word] = socket
                if not word.startswith("MUTE"):
                    await socket.send(word)
        except ConnectionClosedError:
            self.cut += 1
        finally:
            self.open = {word: each for word, each in self.open.items() if each is not socket}


@asynccontextmanager
async def following(channel, context=None, **changes):
    venue, watch, told = Venue(), Watch(), MemoryPublisher()
    context = context or Context("test")
    async with (
        asyncio.timeout(20),
        serve(venue.talk, "127.0.0.1", 0) as server,
        asyncio.TaskGroup() as group,
    ):
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        watch.desk = Desk(url, channel)
        task = group.create_task(follow_feeds(context, watch, watch.desk, told, **changes))
        yield venue, watch, told
        task.cancel()


def states(told):
    return [event.state for event in told.on(FEED_HEALTH) if event.gap_start_ms is None]


async def test_all_sockets_up_is_live_and_told_once_with_its_channel():
    async with following("one") as (_, watch, told):
        watch.choose("A", "B")
        await eventually(lambda: "LIVE" in states(told))
        assert {b"A", b"B"} <= set(watch.desk.frames)
        watch.choose()
        await eventually(lambda: "DOWN" in states(told))
    assert states(told) == ["PARTIAL", "LIVE", "DOWN"]
    event = told.on(FEED_HEALTH)[0]
    assert (event.exchange, event.channel) == ("binance", "one")
    assert told.sent == told.records, "a change of state is waited for"


async def test_a_socket_that_was_never_heard_leaves_its_channel_partial():
    async with following("six") as (venue, watch, told):
        watch.choose("A", "MUTE")
        await eventually(lambda: states(told) and venue.open.keys() == {"A", "MUTE"})
    assert states(told) == ["PARTIAL"]


async def test_a_state_is_repeated_so_that_silence_is_no_sign_of_health(monkeypatch):
    monkeypatch.setattr(feed_health, "_REPEAT_S", 0.01)
    async with following("seven") as (_, watch, told):
        watch.choose("A")
        await eventually(lambda: len(states(told)) >= 3)
    assert set(states(told)) == {"LIVE"}
    first, *others = told.on(FEED_HEALTH)
    assert {each.since_ms for each in others} == {first.since_ms}
    assert others[-1].ts_event_ms > first.ts_event_ms


async def test_a_clean_stop_is_told():
    context = Context("test")
    async with following("eight", context) as (_, watch, told):
        watch.choose("A")
        await eventually(lambda: states(told) == ["LIVE"])
        context.stop.set()
    last = told.on(FEED_HEALTH)[-1]
    assert (last.state, last.reason) == ("DOWN", "ingestion was stopped")


async def test_no_two_sockets_share_a_number():
    async with following("nine") as (venue, watch, _):
        watch.choose("A", "B")
        await eventually(lambda: venue.open.keys() == {"A", "B"})
        watch.choose("B", "C")
        await eventually(lambda: venue.open.keys() == {"B", "C"} and b"C" in watch.desk.frames)
        connected = {
            sample.labels["feed"]: sample.value
            for sample in next(iter(CONNECTED.collect())).samples
            if sample.labels["feed"].startswith("binance-nine-")
        }
    assert sum(connected.values()) == 2


async def test_nothing_followed_is_down_and_closes_the_sockets():
    async with following("two") as (venue, watch, told):
        watch.choose("A")
        await eventually(lambda: states(told) == ["LIVE"])
        watch.choose()
        await eventually(lambda: states(told) == ["LIVE", "DOWN"])
        await eventually(lambda: not venue.open)
    assert told.on(FEED_HEALTH)[-1].reason == "nothing is followed"


async def test_a_socket_whose_contracts_stay_is_left_open():
    async with following("three") as (venue, watch, _):
        watch.choose("A", "B")
        await eventually(lambda: venue.open.keys() == {"A", "B"})
        kept = venue.open["A"]
        watch.choose("A", "C")
        await eventually(lambda: venue.open.keys() == {"A", "C"})
        assert venue.open["A"] is kept
    assert venue.heard.count("A") == 1


async def test_a_lost_socket_is_a_change_and_so_is_its_return():
    async with following("four") as (venue, watch, told):
        watch.choose("A")
        await eventually(lambda: states(told) == ["LIVE"])
        await venue.open["A"].close()
        await eventually(lambda: states(told) == ["LIVE", "DOWN", "LIVE"])
    (gap,) = [event for event in told.on(FEED_HEALTH) if event.gap_start_ms is not None]
    assert 0 <= gap.gap_end_ms - gap.gap_start_ms < 10_000
    assert "no connection for" in gap.reason
    assert (gap.symbol, gap.missing) == (None, None)


async def test_a_channel_is_live_again_when_its_only_broken_socket_is_given_up():
    async with following("five") as (venue, watch, told):
        watch.choose("A", "MUTE")
        await eventually(lambda: venue.open.keys() == {"A", "MUTE"})
        await venue.open["MUTE"].close()
        await eventually(lambda: "PARTIAL" in states(told))
        watch.choose("A")
        await eventually(lambda: states(told)[-1] == "LIVE", 5)


def shown(channel):
    """Return which state the metrics show for a channel."""
    labels = {"exchange": "binance", "channel": channel}
    return [
        sample.labels["foreshock_feed_state"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if metric.name == "foreshock_feed_state"
        and sample.value
        and labels.items() <= sample.labels.items()
    ]


def dated_feeds(channel):
    names = [sample.labels["feed"] for m in LAST_FRAME.collect() for sample in m.samples]
    return {name for name in names if name.startswith(f"binance-{channel}-")}


async def test_metrics_show_the_state_that_was_told_last():
    async with following("six") as (_, watch, told):
        await eventually(lambda: shown("six") == ["UNKNOWN"])
        watch.choose("A")
        await eventually(lambda: states(told) == ["LIVE"])
        assert shown("six") == ["LIVE"]
        watch.choose()
        await eventually(lambda: states(told) == ["LIVE", "DOWN"])
        assert shown("six") == ["DOWN"]


async def test_metrics_date_each_socket_that_is_held_and_forget_those_given_up():
    async with following("seven") as (_, watch, _told):
        watch.choose("A", "B")
        await eventually(lambda: dated_feeds("seven") == {"binance-seven-0", "binance-seven-1"})
        watch.choose("B")
        await eventually(lambda: dated_feeds("seven") == {"binance-seven-1"})
        watch.choose("B", "C")
        await eventually(lambda: dated_feeds("seven") == {"binance-seven-0", "binance-seven-1"})


async def test_a_socket_that_has_shown_no_market_frame_has_no_date():
    async with following("eight") as (venue, watch, _):
        watch.choose("A", "MUTE")
        await eventually(lambda: venue.open.keys() == {"A", "MUTE"})
        await eventually(lambda: dated_feeds("eight") == {"binance-eight-0"})


async def test_the_time_since_an_earlier_run_is_a_gap():
    context = Context("test")
    lost_ms = context.clock.now_ms() - 60_000
    async with following("ten", context, lost_ms=lost_ms) as (_, watch, told):
        watch.choose("A", "B")
        await eventually(lambda: gaps(told))
    (gap,) = gaps(told)
    assert gap.gap_start_ms == lost_ms
    assert gap.gap_end_ms - lost_ms >= 60_000


def gaps(told):
    return [event for event in told.on(FEED_HEALTH) if event.gap_start_ms is not None]
