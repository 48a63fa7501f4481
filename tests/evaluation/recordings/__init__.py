"""Recorded markets, read as the events that the services would have written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from evaluation.lines import Detector
from evaluation.recordings import hourly, hyperliquid, interest, liquidation_minutes

from foreshock_schemas.events import Event


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of recorded data, what can be detected in it, and its reader.

    `events` yields in the order of receipt; what comes before `evaluated_from_ms` is history.
    """

    folder: str
    detectors: tuple[Detector, ...]
    events: Callable[[Path], Iterator[Event]]
    evaluated_from_ms: int = 0


RECORDINGS: Final = (
    Recording(
        folder="hyperliquid-recorded-2026-06",
        detectors=("volume", "open-interest", "market-wide"),
        events=hyperliquid.events,
    ),
    Recording(
        folder="binance-open-interest-5m",
        detectors=("open-interest",),
        events=interest.events,
    ),
    Recording(
        folder="hourly-perps-2025",
        detectors=("liquidation", "cascade", "market-wide"),
        events=hourly.events,
        evaluated_from_ms=hourly.LIQUIDATIONS_FROM_MS,
    ),
    Recording(
        folder="binance-liquidation-minutes-2024-12-10",
        detectors=("liquidation", "market-wide"),
        events=liquidation_minutes.events,
    ),
)
