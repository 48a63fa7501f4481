"""A socket held open against a real websockets server, however it misbehaves."""

import asyncio
from contextlib import asynccontextmanager
from http import HTTPStatus

import msgspec
import pytest
from websockets.asyncio.server import serve

from foreshock_kit.clock import SystemClock
from foreshock_kit.testing import eventually
from foreshock_kit.testing.feed import Feed
from foreshock_kit.ws import Reconnecting, hold_open

AT_ONCE = Reconnecting(first_s=0.0, longest_s=0.0, refused_s=0.0, healthy_after_s=60.0)


class Venue:
    """A server that does as `behave` says; notes who came and what was said."""

    def __init__(self, behave, refuse=None):
        self.behave = behave
        self.refuse = refuse
        self.connections = 0
        self.heard = []

    async def on_connection(self, socket):
        self.connections += 1
        await self.behave(self, socket)

    async def on_request(self, connection, request):
        if self.refuse is None:
            return None
        self.connections += 1
        return connection.respond(self.refuse, "go away")


@asynccontextmanager
async def served(behave, refuse=None):
    venue = Venue(behave, refuse)
    async with serve(
        venue.on_connection, "127.0.0.1", 0, process_request=venue.on_request
    ) as server:
        yield venue, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Held:
    """What the holder of the socket was told."""

    def __init__(self):
        self.frames = []
        self.states = []
        self.dated = {}

    async def on_frame(self, frame, since_ms):
        self.frames.append(frame)
        self.since_ms = since_ms
        return {b"ack": "other", b"refused": "refusal", b"goodbye": "closing"}.get(frame, "market")

    async def on_state(self, state, reason, at_ms):
        self.states.append((state, reason))
        self.dated.setdefault(state, []).append(at_ms)


@asynccontextmanager
async def holding(feed, backoff=AT_ONCE):
    held = Held()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(
            hold_open("test", feed, held.on_frame, on_state=held.on_state, backoff=backoff)
        )
        try:
            yield held
        finally:
            task.cancel()


async def chat(venue, socket):
    async for word in socket:
        venue.heard.append(word)
        await socket.send(f"answer to {word}")


async def silent(venue, socket):
    async for word in socket:
        venue.heard.append(word)
        await socket.send("ack")


async def hang_up(venue, socket):
    await socket.close(1008, "Too many requests")


async def test_hello_is_said_and_frames_arrive_as_bytes():
    async with served(chat) as (venue, url), holding(Feed(url=url, hello=("a", "b"))) as held:
        await eventually(lambda: len(held.frames) == 2)
    assert venue.heard == ["a", "b"]
    assert held.frames == [b"answer to a", b"answer to b"]
    assert held.states[0] == ("up", "market frames arrive")


async def test_acknowledgements_and_pongs_prove_no_life():
    async with served(silent) as (venue, url), holding(Feed(url=url, silence_s=0.2)) as held:
        await eventually(lambda: venue.connections >= 2)
    assert ("down", "no market frame for 0.2 s") in held.states


async def test_market_frames_keep_a_socket_alive():
    async def stream(venue, socket):
        while True:
            await socket.send("frame")
            await asyncio.sleep(0.05)

    async with served(stream) as (venue, url), holding(Feed(url=url, silence_s=0.3)) as held:
        await eventually(lambda: len(held.frames) >= 20)
    assert venue.connections == 1


async def test_what_happened_before_the_connection_is_history():
    before_ms = SystemClock().now_ms()
    async with served(chat) as (_, url), holding(Feed(url=url)) as held:
        await eventually(lambda: held.frames)
    assert before_ms - 5000 <= held.since_ms <= SystemClock().now_ms() - 5000


async def test_a_refusal_is_answered_once_with_what_is_to_be_tried_then():
    async def strict(venue, socket):
        async for word in socket:
            venue.heard.append(word)
            await socket.send("refused" if "bad" in word else word)

    feed = Feed(url="", hello=("good,bad",), retry=("good", "bad", "better"))
    async with (
        served(strict) as (venue, url),
        holding(msgspec.structs.replace(feed, url=url)) as held,
    ):
        await eventually(lambda: b"better" in held.frames)
    assert venue.heard == ["good,bad", "good", "bad", "better"]
    assert ("up", "market frames arrive") in held.states


@pytest.mark.parametrize("hello", [("a", "b", "last"), ("refused", "b")])
async def test_a_socket_is_whole_once_all_is_said_and_what_was_refused_said_anew(hello):
    states_before = []

    async def stream(venue, socket):
        async for word in socket:
            states_before.append([state for state, _ in held.states])
            await socket.send(word)
            await socket.send("frame")
            while word == "last":
                await socket.send("frame")
                await asyncio.sleep(0.01)

    feed = Feed(url="", hello=hello, retry=("c", "last"), pace_s=0.05)
    async with (
        served(stream) as (_, url),
        holding(msgspec.structs.replace(feed, url=url)) as held,
    ):
        await eventually(lambda: ("whole", "all has been asked for") in held.states)
    assert states_before[-1] == ["up"]
    assert [state for state, _ in held.states[:2]] == ["up", "whole"]


class Answer(msgspec.Struct):
    words: str


async def test_a_venue_that_asks_whether_we_are_there_is_answered():
    async def ask(venue, socket):
        await socket.send("are you there 7")
        venue.heard.append(await socket.recv())

    async def on_frame(frame, since_ms):
        return Answer(frame.decode().replace("are you there", "I am"))

    async with asyncio.timeout(20), served(ask) as (venue, url), asyncio.TaskGroup() as group:
        task = group.create_task(hold_open("asked", Feed(url=url, hello=()), on_frame))
        await eventually(lambda: venue.heard)
        task.cancel()
    assert venue.heard == ["I am 7"]


async def test_a_venue_that_says_it_will_close_is_told_of():
    async def closing(venue, socket):
        await socket.send("goodbye")
        await socket.wait_closed()

    async with served(closing) as (_, url), holding(Feed(url=url)) as held:
        await eventually(lambda: held.states)
        assert held.states == [("closing", "the venue will close the connection")]


async def test_the_opening_request_carries_the_feed_s_headers():
    seen = []

    async def note(venue, socket):
        seen.append(socket.request.headers.get("X-Size-Decimal"))
        await socket.wait_closed()

    feed = Feed(url="", headers=(("X-Size-Decimal", "1"),))
    async with served(note) as (_, url), holding(msgspec.structs.replace(feed, url=url)):
        await eventually(lambda: seen)
    assert seen == ["1"]


async def test_the_end_of_a_connection_is_dated_by_its_last_frame_of_the_market():
    async def one_word(venue, socket):
        await socket.send("frame")
        await socket.wait_closed()

    async with served(one_word) as (_, url), holding(Feed(url=url, silence_s=0.3)) as held:
        await eventually(lambda: len(held.dated.get("up", ())) > 1)
    lost_ms, back_ms = held.dated["down"][0], held.dated["up"][1]
    assert 250 <= back_ms - lost_ms <= 5000


@asynccontextmanager
async def black_hole(url):
    """Stand between us and a venue; once `falls` is set nothing comes through any more."""
    falls, port = asyncio.Event(), int(url.rpartition(":")[2])

    async def pipe(reader, writer):
        while data := await reader.read(65_536):
            if not falls.is_set():
                writer.write(data)
        writer.close()

    async def between(reader, writer):
        venue_reader, venue_writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.TaskGroup() as group:
            group.create_task(pipe(reader, venue_writer))
            group.create_task(pipe(venue_reader, writer))

    server = await asyncio.start_server(between, "127.0.0.1", 0)
    async with server:
        yield falls, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_peer_that_is_gone_is_left_within_a_second_or_two():
    async with (
        served(chat) as (_, url),
        black_hole(url) as (falls, through),
        asyncio.timeout(5),
        holding(Feed(url=through)) as held,
    ):
        await eventually(lambda: held.frames)
        falls.set()


async def test_a_ping_in_words_is_said_where_the_venue_wants_it():
    feed = Feed(url="", hello=(), silence_s=0.4, ping="ping!", ping_every_s=0.1)
    async with served(chat) as (venue, url), holding(msgspec.structs.replace(feed, url=url)):
        await eventually(lambda: venue.heard.count("ping!") >= 2)


async def test_a_venue_that_hangs_up_is_called_again():
    async with served(hang_up) as (venue, url), holding(Feed(url=url)) as held:
        await eventually(lambda: venue.connections >= 3)
    down = [reason for state, reason in held.states if state == "down"]
    assert "1008" in down[0]


class Waits(Reconnecting, frozen=True, kw_only=True):
    """Notes after how many failures it was asked."""

    asked: list

    def delay(self, failures):
        self.asked.append(failures)
        return 0.0


async def test_a_connection_that_did_not_last_lets_the_backoff_grow():
    waits = Waits(asked=[], healthy_after_s=60.0)
    async with served(hang_up) as (_, url), holding(Feed(url=url), waits):
        await eventually(lambda: len(waits.asked) >= 3)
    assert waits.asked[:3] == [1, 2, 3]


async def test_a_connection_that_lasted_resets_it():
    waits = Waits(asked=[], healthy_after_s=0.0)
    async with served(hang_up) as (_, url), holding(Feed(url=url), waits):
        await eventually(lambda: len(waits.asked) >= 3)
    assert waits.asked[:3] == [1, 1, 1]


@pytest.mark.parametrize("status", [HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS])
async def test_a_venue_that_refuses_is_left_alone(status):
    patient = Reconnecting(first_s=0.0, longest_s=0.0, refused_s=30.0)
    async with served(chat, refuse=status) as (venue, url), holding(Feed(url=url), patient) as held:
        await eventually(lambda: held.states)
        assert held.states == [("down", f"the venue answered {status.value}")]
        assert venue.connections == 1


async def test_a_server_in_trouble_is_no_refusal():
    async with served(chat, refuse=HTTPStatus.BAD_GATEWAY) as (venue, url), holding(Feed(url=url)):
        await eventually(lambda: venue.connections >= 3)


async def test_nobody_there_is_waited_for(unused_port):
    async with holding(Feed(url=f"ws://127.0.0.1:{unused_port}")) as held:
        await eventually(lambda: len(held.states) >= 2)
    assert {state for state, _ in held.states} == {"down"}


def test_waits_double_with_full_jitter_up_to_a_bound():
    backoff = Reconnecting(first_s=0.5, longest_s=60.0)
    for failures, bound in [(1, 0.5), (2, 1.0), (5, 8.0), (50, 60.0), (10_000, 60.0)]:
        drawn = [backoff.delay(failures) for _ in range(300)]
        assert 0 <= min(drawn) < bound / 4
        assert bound * 0.75 < max(drawn) <= bound
