"""An exchange as it is recorded: asked for its contracts, then listened to."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlencode

from foreshock_cli.tape import Tape
from foreshock_exchanges.base import Adapter, Channel, Feed, MalformedMessage
from foreshock_exchanges.intake import Heard, Intake
from foreshock_exchanges.rest import Request
from foreshock_kit.errors import ForeshockError, Permanent, Refused, Transient
from foreshock_kit.http import HttpClient
from foreshock_kit.ws import hold_open
from foreshock_schemas.events import Instrument

T = TypeVar("T")

_FLUSH_S: Final = 2.0
_MOST_PAGES: Final = 100
_BY_LOCATION: Final = {403, 451}
_REACH: Final = (
    "is this machine online, and where the exchange serves? EXCHANGE_REST_URLS and "
    "EXCHANGE_WS_URLS name other hosts"
)


class CannotRecord(ForeshockError):
    """The exchange says nothing that could be recorded; the message says what to do."""


class Capture:
    """Records one exchange onto a tape and counts `frames`, and `events` by their kind.

    `on_lost` is told in words of a socket that was lost; it is opened again.
    """

    def __init__(
        self, adapter: Adapter, tape: Tape, intake: Intake, on_lost: Callable[[str], None]
    ) -> None:
        self.frames = 0
        self.events: Counter[str] = Counter()
        self._adapter = adapter
        self._tape = tape
        self._intake = intake
        self._on_lost = on_lost
        self._open: set[str] = set()

    async def contracts(self, http: HttpClient, host: str) -> list[Instrument]:
        """Ask for every contract and return those that trade; the adapter knows them all then.

        Raises:
            CannotRecord: The venue refuses, cannot be reached, or says what cannot be read.
        """
        rest = self._adapter.rest
        found = await self._pages(http, host, rest.instruments(), rest.read_instruments)
        self._adapter.learn(found)
        return [each for each in found if each.status == "trading"]

    async def most_traded(self, http: HttpClient, host: str, coins: int) -> list[str]:
        """Ask for the last 24 hours and return the coins with most volume.

        Raises:
            CannotRecord: The venue refuses, cannot be reached, or says what cannot be read.
        """
        rest = self._adapter.rest
        volumes: Counter[str] = Counter()
        for each in await self._pages(http, host, rest.tickers(), rest.read_tickers):
            volumes[each.coin] += round(each.volume_24h_usd)
        return [coin for coin, _ in volumes.most_common(coins)]

    def feeds(
        self, channels: Collection[Channel], symbols: Sequence[str], ws_url: str
    ) -> list[Feed]:
        """Return the sockets that carry these channels of these contracts.

        Raises:
            CannotRecord: One of the channels is not public.
        """
        adapter = self._adapter
        found: dict[Feed, None] = {}
        for channel in channels:
            if channel not in adapter.coverage:
                public = ",".join(adapter.coverage)
                raise CannotRecord(f"{adapter.name} shows no {channel}: say --channels {public}")
            found |= dict.fromkeys(adapter.feeds(channel, symbols, ws_url))
        return list(found)

    async def listen(self, feeds: Sequence[Feed], stop: asyncio.Event, seconds: float) -> None:
        """Hold the sockets open for so long, or until told to stop.

        Raises:
            CannotRecord: None can be opened.
            CannotWrite: The file is full.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._flush())]
            for number, feed in enumerate(feeds, 1):
                held = self._hold(f"{self._adapter.name}.ws.{number}", feed)
                tasks.append(group.create_task(held))
            try:
                async with asyncio.timeout(seconds):
                    await stop.wait()
            except TimeoutError:
                pass
            for task in tasks:
                task.cancel()

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_S)
            self._tape.flush()

    async def _hold(self, conn: str, feed: Feed) -> None:
        async def on_frame(frame: bytes, _: int) -> Heard:
            return self._take(conn, feed, frame)

        await hold_open(conn, feed, on_frame, on_state=partial(self._on_state, conn))

    def _take(self, conn: str, feed: Feed, frame: bytes) -> Heard:
        if conn not in self._open:
            self._open.add(conn)
            self._tape.opened(conn, feed.url)
        recv_ns = self._tape.frame(conn, frame)
        self.frames += 1
        for event in self._intake.take(frame, recv_ns // 1_000_000):
            self.events[type(event).__name__] += 1
        return self._intake.heard

    async def _on_state(self, conn: str, state: str, reason: str, _: int) -> None:
        if state != "down":
            return
        if not self.frames:
            raise CannotRecord(f"{self._adapter.name} cannot be listened to ({reason}): {_REACH}")
        self._on_lost(f"{conn} is down ({reason})")
        if conn in self._open:
            self._open.remove(conn)
            self._tape.lost(conn, reason)

    async def _pages(
        self, http: HttpClient, host: str, request: Request, read: Callable[[bytes, int], list[T]]
    ) -> list[T]:
        found: list[T] = []
        following: Request | None = request
        for _ in range(_MOST_PAGES):
            if following is None:
                return found
            body, now_ms = await self._ask(http, host, following)
            try:
                found += read(body, now_ms)
                following = self._adapter.rest.next_page(following, body)
            except MalformedMessage as e:
                raise self._unread(e) from e
        if following is not None:
            name = self._adapter.name
            raise CannotRecord(
                f"{name}{request.path} has over {_MOST_PAGES} pages: mend its adapter"
            )
        return found

    async def _ask(self, http: HttpClient, host: str, request: Request) -> tuple[bytes, int]:
        name = self._adapter.name
        try:
            if request.json is None:
                body = await http.get(request.path, dict(request.params), request.weight)
            else:
                body = await http.post(request.path, request.json, request.weight)
        except Refused as e:
            todo = (
                _REACH if e.status in _BY_LOCATION else f"try again in {e.retry_after_s or 0:.0f} s"
            )
            raise CannotRecord(f"{name} refuses us ({e}): {todo}") from e
        except Transient as e:
            raise CannotRecord(f"{name} cannot be reached ({e}): {_REACH}") from e
        except Permanent as e:
            raise CannotRecord(f"{name} does not know what we ask ({e}): mend its adapter") from e
        query = f"?{urlencode(request.params)}" if request.params else ""
        url = f"{host.rstrip('/')}{request.path}{query}"
        recv_ns = self._tape.body(f"{name}.http", url, body, request.json)
        return body, recv_ns // 1_000_000

    def _unread(self, error: MalformedMessage) -> CannotRecord:
        self._tape.keep()
        return CannotRecord(f"an answer cannot be read ({error}): it is kept, mend the adapter")
