"""The lines of an evaluation, one for every alert and event: all rows follow from them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

Detector = Literal["liquidation", "cascade", "volume", "open-interest", "market-wide"]
Part = Literal["tuned", "held-out", "neither"]
"""`neither`: in a run's warm-up, or too small to count as a hit or as a miss."""

DETECTORS: Final[tuple[Detector, ...]] = (
    "liquidation",
    "cascade",
    "volume",
    "open-interest",
    "market-wide",
)


class Alert(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="alert"):
    """Something told. `run` is the seed, empty for a recording; `budgeted`: a budget paid."""

    data: str
    run: str
    part: Part
    detector: Detector
    coin: str
    ts_event_ms: int
    ts_recv_ms: int
    position: str | None
    severity: str
    budgeted: bool
    signal_id: str


class Happening(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="event"):
    """Something that ought to be told, from `ts_event_ms` (its onset) to `end_ms`.

    `course` is what was liquidated, as pairs of seconds since the onset and USD.
    """

    data: str
    run: str
    part: Part
    detector: Detector
    coin: str
    ts_event_ms: int
    end_ms: int
    position: str | None = None
    usd: float | None = None
    course: tuple[tuple[float, float], ...] = ()


Line = Alert | Happening

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """How long one detector watched one part of a run, and how many coins."""

    data: str
    run: str
    part: Part
    detector: Detector
    coins: int
    start_ms: int
    end_ms: int

    @property
    def days(self) -> float:
        """Days x coins."""
        return self.coins * (self.end_ms - self.start_ms) / 86_400_000


def write(path: Path, lines: Iterable[msgspec.Struct]) -> None:
    """Write one JSON object a line; the file appears when all of it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.writelines(_encoder.encode(line) + b"\n" for line in lines)
    fresh.replace(path)


def read(path: Path) -> Iterator[Line]:
    """Yield the lines of a file."""
    with path.open("rb") as file:
        yield from map(_decoder.decode, file)
