"""All coins of the partitions that a member of the consumer group owns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import AHEAD_MS, Event, Evidence
from threshold_service.domain.coin import Coin, Output, State
from threshold_service.domain.saying import MODEL
from threshold_service.domain.surroundings import SETTLED_MS
from threshold_service.domain.world import World

_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK: Final = msgspec.msgpack.Decoder(State)


class Detection:
    """Limits and signals of one partition's coins, from the log alone.

    A coin that is forgotten begins anew with its next record. When a snapshot is due it may be
    dropped from memory before that, which changes nothing.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._coins: dict[str, Coin] = {}
        self._held: dict[tuple[str, str], int] = {}

    def on_event(self, event: Event, evidence: Evidence) -> Sequence[Output]:
        """Return what follows from a record; nothing if its coin's snapshot holds it already."""
        name = getattr(event, "coin", None)
        if name is None:
            return ()
        coin = self._coins.get(name)
        if coin is None:
            coin = self._coins[name] = Coin(name, self._world)
        elif self._held and self._holds(name, evidence.topic, evidence.offset):
            return ()
        elif coin.is_forgotten(event.ts_recv_ms):
            coin = self._coins[name] = Coin(name, self._world)
        return coin.on_event(event, evidence)

    @property
    def learning(self) -> int:
        """How many coins' usual volume is not learned yet."""
        return sum(not coin.state.volume.learned for coin in self._coins.values())

    def snapshot(self) -> Iterator[tuple[str, bytes]]:
        """Yield each coin's state, after dropping the coins that are forgotten for certain."""
        heard_ms = max((coin.state.heard_ms for coin in self._coins.values()), default=0)
        settled_ms = heard_ms - SETTLED_MS
        self._coins = {
            name: coin for name, coin in self._coins.items() if not coin.is_forgotten(settled_ms)
        }
        for name, coin in self._coins.items():
            yield name, _PACK.encode(coin.state)

    def restore(self, name: str, offsets: Mapping[str, int], state: bytes) -> None:
        """Take a coin's state, which holds all records before `offsets` ("topic:partition").

        Raises:
            ValueError: another version of the service wrote it.
        """
        try:
            held = _UNPACK.decode(state)
        except msgspec.DecodeError as e:
            raise ValueError(str(e)) from e
        if held.model != MODEL:
            raise ValueError(f"{held.model} wrote it, this is {MODEL}")
        self._coins[name] = Coin(name, self._world, held)
        for where, offset in offsets.items():
            self._held[name, where.rpartition(":")[0]] = offset

    def _holds(self, name: str, topic: str, offset: int) -> bool:
        until = self._held.get((name, topic), 0)
        if offset < until:
            return True
        self._held.pop((name, topic), None)
        return False


class Partitions:
    """A `Detection` for every partition that this member owns.

    All topics have the same partitions, so a coin's records meet in one.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._owned: dict[int, Detection] = {}
        self.refused = 0

    def on_event(self, event: Event, evidence: Evidence) -> Sequence[Output]:
        """Return what follows from a record.

        One whose own time lies more than 5 s ahead of its receipt is refused, and counted.
        """
        if event.ts_event_ms > event.ts_recv_ms + AHEAD_MS:
            self.refused += 1
            return ()
        return self._of(evidence.partition).on_event(event, evidence)

    @property
    def learning(self) -> int:
        """How many coins' usual volume is not learned yet."""
        return sum(detection.learning for detection in self._owned.values())

    def snapshot(self, partition: int) -> Iterator[tuple[str, bytes]]:
        """Yield the state of each of a partition's coins."""
        return self._of(partition).snapshot()

    def restore(self, partition: int, coin: str, offsets: Mapping[str, int], state: bytes) -> None:
        """Take a coin's state; see `Detection.restore`.

        Raises:
            ValueError: another version of the service wrote it.
        """
        self._of(partition).restore(coin, offsets, state)

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop the state of partitions."""
        for partition in partitions:
            self._owned.pop(partition, None)

    def _of(self, partition: int) -> Detection:
        detection = self._owned.get(partition)
        if detection is None:
            detection = self._owned[partition] = Detection(self._world)
        return detection
