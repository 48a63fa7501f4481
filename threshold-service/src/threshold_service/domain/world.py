"""What concerns all coins: the states of feeds, and the detectors' settings."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from foreshock_schemas.events import (
    DetectorSettings,
    Event,
    FeedAt,
    FeedHealth,
    SignalKind,
)
from threshold_service.domain.history import History

BUDGETS: Final[Mapping[SignalKind, float]] = {
    "volume_spike": 3.0,
    "oi_explosion": 2.0,
    "liquidation": 3.0,
    "cascade": 1.0,
}
"""Alerts a day and coin, where the settings name none."""

EVERYWHERE: Final = "*"
"""The scope of settings for every coin that has none of its own."""

_KEPT: Final = 2_000
"""Settings of a scope, and states of a channel's feeds, that are kept."""


class WhatIf(msgspec.Struct, forbid_unknown_fields=True):
    """What a replay supposes instead of the settings that were in force."""

    dynamic_thresholds: bool | None = None
    volume_monitoring: bool | None = None
    budgets: dict[SignalKind, float] = {}

    def instead_of(self, settings: DetectorSettings) -> DetectorSettings:
        """Return the settings, replaced where something else is supposed."""
        dynamic, volume = self.dynamic_thresholds, self.volume_monitoring
        return replace(
            settings,
            dynamic_thresholds=settings.dynamic_thresholds if dynamic is None else dynamic,
            volume_monitoring=settings.volume_monitoring if volume is None else volume,
            budgets=settings.budgets | self.budgets,
        )


class World:
    """Settings and states of feeds as they were at any time; every member reads all of them.

    `told` holds until there are settings on their topic; `what_if` is applied to all settings.
    """

    def __init__(self, told: DetectorSettings, what_if: WhatIf | None = None) -> None:
        self._what_if = what_if
        self._told = self._supposed(told)
        self._settings: dict[str, History[DetectorSettings]] = {}
        self._feeds: dict[str, History[tuple[FeedAt, ...]]] = {}

    def on_event(self, event: Event) -> None:
        """Take settings, or a feed's state; a gap is no state."""
        if isinstance(event, DetectorSettings):
            held = self._settings.setdefault(event.scope, History(_KEPT))
            held.add(event.ts_recv_ms, self._supposed(event))
        elif isinstance(event, FeedHealth) and event.gap_start_ms is None:
            self._on_state(event)

    def latest_by(self, whom: str) -> DetectorSettings | None:
        """Return the newest settings for every coin that `whom` made, None if there are none."""
        held = self._settings.get(EVERYWHERE)
        made = [each for each in held.values if each.changed_by == whom] if held else []
        return made[-1] if made else None

    def settings(self, coin: str, ms: int) -> DetectorSettings:
        """Return the settings in force for a coin at `ms`; before any were, the earliest."""
        own, general = self._settings.get(coin), self._settings.get(EVERYWHERE)
        if own is not None and (found := own.at(ms)) is not None:
            return found
        if general is None:
            return self._told
        return general.at(ms) or general.values[0]

    def feeds(self, channel: str, ms: int) -> tuple[FeedAt, ...]:
        """Return the known states of a channel's feeds at `ms`, sorted by exchange."""
        held = self._feeds.get(channel)
        return (held.at(ms) or ()) if held else ()

    def _supposed(self, settings: DetectorSettings) -> DetectorSettings:
        return settings if self._what_if is None else self._what_if.instead_of(settings)

    def _on_state(self, event: FeedHealth) -> None:
        held = self._feeds.setdefault(event.channel, History(_KEPT))
        states = {each.exchange: each for each in (held.values[-1] if held.values else ())}
        known = states.get(event.exchange)
        if known is not None and known.state == event.state:
            return
        states[event.exchange] = FeedAt(
            exchange=event.exchange, channel=event.channel, state=event.state
        )
        held.add(event.ts_recv_ms, tuple(states[name] for name in sorted(states)))
