"""One coin: all that is known of it, and which detector takes which of its records."""

from collections.abc import Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import (
    Bar,
    Event,
    Evidence,
    Kline,
    Liquidation,
    MarketStats,
    OpenInterest,
    Signal,
    Threshold,
)
from threshold_service.domain.adaptive.cascades import Cascades
from threshold_service.domain.adaptive.finding import Finding
from threshold_service.domain.adaptive.interest import Interest
from threshold_service.domain.adaptive.recent import Recent, credible
from threshold_service.domain.adaptive.sizes import Sizes
from threshold_service.domain.adaptive.volume import Volume
from threshold_service.domain.around import Around
from threshold_service.domain.limits import Limits
from threshold_service.domain.market import Market
from threshold_service.domain.rules import Rules
from threshold_service.domain.saying import MODEL, signal_of
from threshold_service.domain.warmup import Warmup
from threshold_service.domain.world import World

Output = Threshold | Signal

FORGOTTEN_MS: Final = 7 * 86_400_000
"""A coin outside the universe that nothing has come of for so long is forgotten."""


class State(msgspec.Struct, kw_only=True):
    """What a snapshot of a coin holds; one that another `model` wrote is of no use.

    `heard_ms` is when its newest record was received, `followed` whether it is in the universe.
    """

    model: str = MODEL
    limits: Limits
    heard_ms: int = 0
    followed: bool = False
    rules: Rules = msgspec.field(default_factory=Rules)
    market: Market = msgspec.field(default_factory=Market)
    recent: Recent = msgspec.field(default_factory=Recent)
    volume: Volume = msgspec.field(default_factory=Volume)
    sizes: Sizes = msgspec.field(default_factory=Sizes)
    cascades: Cascades = msgspec.field(default_factory=Cascades)
    interest: Interest = msgspec.field(default_factory=Interest)
    warmup: Warmup = msgspec.field(default_factory=Warmup)


class Coin:
    """Routes a coin's records to its detectors.

    The original requirements' rules speak where dynamic thresholds are off, and of volume and open
    interest until what is usual is learned; they see records only while they speak. The adaptive
    detectors see all records; while they may not speak they learn, and spend nothing of their
    budgets.
    """

    def __init__(self, name: str, world: World, state: State | None = None) -> None:
        self.name = name
        self.state = state or State(limits=Limits(name))
        self._around = Around(name, self.state.limits, self.state.market, world)

    def is_forgotten(self, ms: int) -> bool:
        """Return whether a record received at `ms` finds it forgotten, and begins it anew."""
        state = self.state
        return ms - state.heard_ms >= FORGOTTEN_MS and not state.followed

    def on_event(self, event: Event, evidence: Evidence) -> Sequence[Output]:
        """Return what follows from a record."""
        if event.ts_recv_ms > self.state.heard_ms:
            self.state.heard_ms = event.ts_recv_ms
        if isinstance(event, Bar):
            return self._on_bar(event, evidence)
        if isinstance(event, Liquidation):
            return self._on_liquidation(event, evidence)
        if isinstance(event, OpenInterest):
            return self._on_reading(event, evidence)
        if isinstance(event, MarketStats):
            self.state.followed = event.in_universe
            self._around.look(event.ts_recv_ms)
            limits = self.state.limits.on_stats(event, dynamic=self._around.dynamic)
            return () if limits is None else (limits,)
        if isinstance(event, Kline) and self._around.settings.volume_monitoring:
            self.state.warmup.add(event)
        return ()

    def _on_bar(self, bar: Bar, evidence: Evidence) -> Sequence[Output]:
        state, around = self.state, self._around
        if not state.market.on_bar(bar):
            return ()
        around.look(bar.ts_recv_ms)
        settings = around.settings
        spike = self._spike(bar, evidence) if settings.volume_monitoring else None
        closing = state.cascades.on_time(bar.ts_recv_ms, evidence.offset, around)
        return self._said((spike, closing), bar, evidence) if spike or closing else ()

    def _spike(self, bar: Bar, evidence: Evidence) -> Signal | Finding | None:
        state, around = self.state, self._around
        if state.warmup.waiting:
            for candle in state.warmup.take(bar.ts_recv_ms):
                state.volume.on_candle(candle)
        spike = state.volume.on_bar(bar, evidence.offset, around)
        if around.dynamic and state.volume.learned:
            return spike
        return state.rules.on_bar(bar, evidence, around.threshold)

    def _on_liquidation(self, event: Liquidation, evidence: Evidence) -> Sequence[Output]:
        state, around = self.state, self._around
        if not credible(event) or not state.recent.is_new(event.event_id):
            return ()
        around.look(event.ts_recv_ms)
        size = state.sizes.on_liquidation(event, evidence.offset, around)
        cascade = state.cascades.on_liquidation(event, evidence.offset, around)
        if not around.dynamic:
            return state.rules.on_liquidation(event, evidence, around.threshold)
        return self._said((size, cascade), event, evidence) if size or cascade else ()

    def _on_reading(self, event: OpenInterest, evidence: Evidence) -> Sequence[Output]:
        state, around = self.state, self._around
        state.market.on_reading(event)
        around.look(event.ts_recv_ms)
        found: Signal | Finding | None = state.interest.on_reading(event, evidence.offset, around)
        if not (around.dynamic and state.interest.learned):
            found = state.rules.on_reading(event, evidence, around.threshold)
        return self._said((found,), event, evidence)

    def _said(
        self, found: Sequence[Signal | Finding | None], event: Event, evidence: Evidence
    ) -> Sequence[Output]:
        return [
            signal_of(self.name, each, event, evidence, self._around)
            if isinstance(each, Finding)
            else each
            for each in found
            if each is not None
        ]
