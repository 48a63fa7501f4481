"""What the simulated venues have in common: they list contracts, and tell what happens to them."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from aiohttp import web

from foreshock_simulator.market.contract import Contract
from foreshock_simulator.market.market import Market
from foreshock_simulator.market.trades import Liquidation, Step
from foreshock_simulator.venue.faults import Faults, Frame
from foreshock_simulator.venue.forced import Forced, Shown, Window
from foreshock_simulator.venue.ledger import Ledger, Numbers
from foreshock_simulator.venue.listener import Listener
from foreshock_simulator.venue.listing import Listing
from foreshock_simulator.venue.tape import Fill, Tape

_FORCED_KEPT: Final = 1000
_OLDEST_MS: Final = 60_000
_APART_MS: Final = 7_000
PAST_ROWS: Final = 30
"""Liquidations from before the market began, where a venue shows history."""


class Venue(ABC):
    """One simulated exchange, which has a share of the market.

    `show` is told what happened on it and sends what falls due. `now_ms` is the venue's own
    clock, which a fault can put wrong.
    """

    name: ClassVar[str]
    sockets: ClassVar[tuple[str, ...]]
    """The paths on which it takes websockets, as aiohttp writes routes."""
    ping_every_s: ClassVar[float | None] = None
    """How often the server sends ping frames."""
    idle_s: ClassVar[float]
    """After how long it cuts a connection that does nothing to stay."""
    life_s: ClassVar[float] = float("inf")
    notice_s: ClassVar[float] = 30.0
    """How long a connection lasts after the notice that the server goes down."""
    window_ms: ClassVar[int]
    shown: ClassVar[Shown]
    """Of the liquidations of a contract within `window_ms`, what is shown."""

    def __init__(self, market: Market, share: float, seed: int, now_ms: int) -> None:
        self.market = market
        self.share = share
        self.seed = seed
        self.now_ms = now_ms
        self.down = False
        self.faults = Faults()
        self.ledger = Ledger()
        self.listeners: set[Listener] = set()
        self.listings: dict[str, Listing] = {}
        self.tapes: dict[str, Tape] = {}
        self.forced: deque[Forced] = deque(maxlen=_FORCED_KEPT)
        self.window = Window(self.window_ms, self.shown, now_ms)
        self._of_market: dict[str, Listing] = {}
        for contract in market.contracts.values():
            self.list(contract)
        self.forced.extend(reversed(list(self.past(PAST_ROWS))))

    @property
    def trading(self) -> list[Listing]:
        """The contracts that can be traded."""
        return [each for each in self.listings.values() if each.status == "trading"]

    def list(self, contract: Contract) -> Listing:
        """List a contract of the market, if it is not yet, and let it be traded."""
        key = contract.profile.symbol
        if key not in self._of_market:
            self._of_market[key] = self.add(self.terms(contract))
        self._of_market[key].status = "trading"
        return self._of_market[key]

    def add(self, listing: Listing) -> Listing:
        """Show one more contract; its trades come only through `list`."""
        self.listings[listing.symbol] = listing
        self.tapes[listing.symbol] = Tape(listing)
        return listing

    def show(self, steps: Mapping[str, Step], from_ms: int, to_ms: int) -> None:
        """Send what happened on this venue between two times, and what else is due."""
        skew_ms = self.faults.skew_ms
        self.now_ms = to_ms + skew_ms
        for rows in self.window.due(self.now_ms):
            self.liquidated(rows)
        for key, step in steps.items():
            listing = self._of_market.get(key)
            if listing is None or listing.status != "trading":
                continue
            fills = self.tapes[listing.symbol].take(step.trades, from_ms + skew_ms, self.now_ms)
            if fills:
                self.traded(listing, fills)
            for each in step.liquidations:
                forced = Forced(listing, each, self.now_ms)
                self.forced.append(forced)
                self.window.add(forced)
        self.tick()

    def go_down(self) -> None:
        """Cut every connection and take none, until `down` is false again."""
        self.down = True
        for listener in list(self.listeners):
            listener.end_in(0.0)

    def wanted(self, stream: str) -> bool:
        """Return whether anybody listens to a stream."""
        return any(listener.hears(stream) for listener in self.listeners)

    def publish(
        self, stream: str, payload: Any, rows: int = 1, numbers: Numbers | None = None
    ) -> None:
        """Send a frame to all that listen to its stream, unless a fault is on order."""
        heard = [listener for listener in self.listeners if listener.hears(stream)]
        if not heard:
            return
        self._send(Frame(stream, payload, rows, numbers), heard)

    def subscribed(self, listener: Listener, stream: str) -> None:
        """Send what a new subscription brings: a first push, and history if that is on order."""
        rows = self.faults.histories.take_all(stream)
        for payload in [*self.first(stream), *self.history(stream, rows)]:
            self._send(Frame(stream, payload), [listener])

    def past(self, count: int) -> Iterator[Forced]:
        """Yield liquidations of over a minute ago, the latest first: none of them happened."""
        for number in range(count if self.trading else 0):
            listing = self.trading[number % len(self.trading)]
            profile, longs = listing.contract.profile, number % 3 != 0
            price = listing.contract.price * (0.99 if longs else 1.01)
            units = max(10.0**-profile.lot_decimals, profile.held_usd * 1e-5 / price)
            forced = Liquidation(longs, units, price, price * (0.99 if longs else 1.01))
            yield Forced(listing, forced, self.now_ms - _OLDEST_MS - number * _APART_MS)

    @abstractmethod
    def terms(self, contract: Contract) -> Listing:
        """Return how this venue lists a contract of the market."""

    @abstractmethod
    def traded(self, listing: Listing, fills: Sequence[Fill]) -> None:
        """Send the trades of one step of a contract."""

    @abstractmethod
    def liquidated(self, rows: Sequence[Forced]) -> None:
        """Send what one window shows of a contract's liquidations."""

    @abstractmethod
    def tick(self) -> None:
        """Send whatever else falls due."""

    def first(self, _stream: str) -> Sequence[Any]:
        """Return what is pushed at once to whoever subscribes to a stream."""
        return ()

    @abstractmethod
    def history(self, stream: str, rows: int) -> Sequence[Any]:
        """Return pushes that hold so many old rows of a stream, or all there are."""

    @abstractmethod
    def listener(self, request: web.Request) -> Listener:
        """Return the listener for a new connection."""

    @abstractmethod
    def routes(self) -> Sequence[web.RouteDef]:
        """Return the REST calls."""

    @abstractmethod
    def refuse(self, status: int, for_s: float) -> web.Response:
        """Return the venue's answer to a request that it refuses for so long."""

    def notice(self, _listener: Listener) -> bytes | None:
        """Return what a connection is told before the server goes down, if anything."""
        return None

    def _send(self, frame: Frame, listeners: Sequence[Listener]) -> None:
        frames = self.faults.through(frame)
        if frames is None:
            self.ledger.note_withheld(frame.stream, frame.numbers)
            return
        for each in frames:
            put = sum(listener.put(each.stream, each.payload) for listener in listeners)
            if put:
                self.ledger.note_sent(each.stream, put, each.rows, each.numbers)
            else:
                self.ledger.note_withheld(each.stream, each.numbers)
