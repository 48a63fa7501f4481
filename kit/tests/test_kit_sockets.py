"""Sockets that take over from one another without a moment in which nobody listens."""

import asyncio
import itertools
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from foreshock_kit import sockets
from foreshock_kit.clock import SystemClock
from foreshock_kit.sockets import Sockets
from foreshock_kit.testing import eventually
from foreshock_kit.testing.feed import Feed


class Venue:
    """Counts aloud for whoever has asked for it; a silent one says nothing to newcomers."""

    def __init__(self):
        self.numbers = itertools.count()
        self.open = []
        self.silent = False
        self.most = 0
        self.connections = 0
        self.order = []
        self.open_at_word = {}

    async def talk(self, socket):
        self.connections += 1
        self.hello = await socket.recv()
        while self.silent:
            await asyncio.sleep(0.01)
        self.order.append(self.hello)
        self.open.append(socket)
        self.most = max(self.most, len(self.open))
        try:
            async for word in socket:
                self.open_at_word[word] = len(self.open)
        finally:
            self.open.remove(socket)

    async def count_aloud(self):
        while True:
            number = next(self.numbers)
            for socket in [*self.open]:
                try:
                    await socket.send(str(number))
                except ConnectionClosed:
                    continue
            await asyncio.sleep(0.005)

    async def shout(self, word):
        for socket in [*self.open]:
            await socket.send(word)


class Listener:
    def __init__(self):
        self.heard = set()
        self.reasons = []
        self.standings = []
        self.gaps = []
        self.sockets = None

    async def on_frame(self, frame, since_ms):
        if frame == b"goodbye":
            return "closing"
        self.heard.add(int(frame))
        return "market"

    async def on_change(self, reason):
        self.reasons.append(reason)
        self.standings.append(self.sockets.standing)

    async def on_gap(self, start_ms, end_ms):
        self.gaps.append((start_ms, end_ms))

    @property
    def complete(self):
        return self.heard == set(range(min(self.heard), max(self.heard) + 1))


@asynccontextmanager
async def listening(name):
    venue, listener = Venue(), Listener()
    async with (
        asyncio.timeout(20),
        serve(venue.talk, "127.0.0.1", 0) as server,
        asyncio.TaskGroup() as group,
    ):
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        listener.sockets = Sockets(
            group, name, listener.on_frame, listener.on_change, listener.on_gap, SystemClock()
        )
        aloud = group.create_task(venue.count_aloud())
        yield venue, listener, url
        aloud.cancel()
        await listener.sockets.follow([])


async def test_other_contracts_are_followed_without_losing_a_frame():
    async with listening("one") as (venue, listener, url):
        await listener.sockets.follow([Feed(url=url, hello=("A",))])
        await eventually(lambda: len(listener.heard) > 5)
        await listener.sockets.follow([Feed(url=url, hello=("A,B",))])
        await eventually(lambda: venue.hello == "A,B" and len(venue.open) == 1)
        before = len(listener.heard)
        await eventually(lambda: len(listener.heard) > before + 5)
        assert listener.complete
        assert venue.most == 2
        assert not listener.gaps
    assert set(listener.standings[:-1]) == {"up"}


async def test_until_the_new_one_is_heard_the_old_one_goes_on():
    async with listening("two") as (venue, listener, url):
        await listener.sockets.follow([Feed(url=url, hello=("A",))])
        await eventually(lambda: listener.heard)
        venue.silent = True
        await listener.sockets.follow([Feed(url=url, hello=("A,B",))])
        await eventually(lambda: venue.hello == "A,B")
        before = len(listener.heard)
        await eventually(lambda: len(listener.heard) > before + 5)
        assert listener.sockets.standing == "up"
        (old,) = venue.open
        await old.close()
        await eventually(lambda: listener.sockets.standing == "down")
        assert not venue.open, "who leaves does not come back"
        venue.silent = False
        await eventually(lambda: listener.sockets.standing == "up")


async def test_the_old_one_goes_on_while_the_new_one_has_yet_to_ask_for_more():
    async with listening("six") as (venue, listener, url):
        await listener.sockets.follow([Feed(url=url, hello=("A",))])
        await eventually(lambda: listener.heard)
        await listener.sockets.follow([Feed(url=url, hello=("A", "B", "C"), pace_s=0.1)])
        await eventually(lambda: "C" in venue.open_at_word and len(venue.open) == 1)
    assert venue.open_at_word == {"B": 2, "C": 2}


async def test_a_socket_is_renewed_before_the_venue_cuts_it():
    async with listening("three") as (venue, listener, url):
        await listener.sockets.follow([Feed(url=url, hello=("A",), lifetime_s=0.1)])
        await eventually(lambda: listener.heard)
        first = venue.open[0]
        await eventually(lambda: venue.open and first not in venue.open)
        second = venue.open[0]
        await eventually(lambda: venue.open and second not in venue.open)
        assert listener.complete
        assert not listener.gaps
        assert set(listener.standings) == {"up"}


async def test_a_venue_that_says_it_will_close_is_left_for_a_new_connection(monkeypatch):
    monkeypatch.setattr(sockets, "_RENEWED_AFTER_S", 0.0)
    async with listening("four") as (venue, listener, url):
        await listener.sockets.follow([Feed(url=url, hello=("A",))])
        await eventually(lambda: listener.heard)
        first = venue.open[0]
        await venue.shout("goodbye")
        await eventually(lambda: venue.open and first not in venue.open)
        before = len(listener.heard)
        await eventually(lambda: len(listener.heard) > before + 5)
        assert listener.complete
        assert not listener.gaps


async def test_a_venue_that_says_so_at_once_is_not_hammered_and_was_never_up():
    async with listening("seven") as (venue, listener, url):
        venue.silent = True
        await listener.sockets.follow([Feed(url=url, hello=("A",))])
        await eventually(lambda: hasattr(venue, "hello"))
        venue.silent = False
        await eventually(lambda: venue.open)
        await venue.shout("goodbye")
        before = venue.connections
        await eventually(lambda: len(listener.heard) > 3)
        assert venue.connections == before == 1


async def test_a_gap_outlives_a_change_of_contracts():
    async with listening("eight") as (venue, listener, url):
        await listener.sockets.follow([Feed(url=url, hello=("A",))])
        await eventually(lambda: listener.heard)
        venue.silent = True
        await venue.open[0].close()
        await eventually(lambda: listener.sockets.standing == "down")
        await listener.sockets.follow([Feed(url=url, hello=("A,B",))])
        venue.silent = False
        await eventually(lambda: listener.gaps)
        assert len(listener.gaps) == 1


async def test_a_gap_of_what_is_followed_no_longer_ends_there():
    async with listening("nine") as (venue, listener, url):
        keep, drop = Feed(url=url, hello=("A",)), Feed(url=url, hello=("B",))
        await listener.sockets.follow([keep, drop])
        await eventually(lambda: len(venue.open) == 2 and listener.sockets.standing == "up")
        venue.silent = True
        await venue.open[1].close()
        await eventually(lambda: listener.sockets.standing == "partial")
        dropped = drop if venue.order[1] == "B" else keep
        await listener.sockets.follow([keep if dropped is drop else drop])
        assert len(listener.gaps) == 1


async def test_a_lost_socket_is_a_gap_with_its_times():
    async with listening("five") as (venue, listener, url):
        await listener.sockets.follow([Feed(url=url, hello=("A",))])
        await eventually(lambda: listener.heard)
        await venue.open[0].close()
        await eventually(lambda: listener.gaps)
    ((start_ms, end_ms),) = listener.gaps
    assert 0 <= end_ms - start_ms < 10_000
    assert "down" in listener.standings
