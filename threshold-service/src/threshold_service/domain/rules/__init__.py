"""The original requirements' own rules for one coin: fixed formulas, nothing learned.

They speak where dynamic thresholds are off, and of volume and open interest until what is usual
for the coin is learned.
"""

from collections.abc import Sequence

import msgspec

from foreshock_schemas.events import Bar, Evidence, Liquidation, OpenInterest, Signal, Threshold
from threshold_service.domain.rules.cascade import CascadeRule
from threshold_service.domain.rules.liquidation import large
from threshold_service.domain.rules.open_interest import OpenInterestRule
from threshold_service.domain.rules.volume import VolumeRule


class Rules(msgspec.Struct, kw_only=True):
    """One coin's windows and episodes under these rules."""

    cascade: CascadeRule = msgspec.field(default_factory=CascadeRule)
    volume: VolumeRule = msgspec.field(default_factory=VolumeRule)
    open_interest: OpenInterestRule = msgspec.field(default_factory=OpenInterestRule)

    def on_liquidation(
        self, event: Liquidation, evidence: Evidence, limits: Threshold
    ) -> Sequence[Signal]:
        """Return the signals of a liquidation: it may be large, and may begin a cascade."""
        found = (
            large(event, evidence, limits),
            self.cascade.on_liquidation(event, evidence, limits),
        )
        return [signal for signal in found if signal is not None]

    def on_bar(self, bar: Bar, evidence: Evidence, limits: Threshold) -> Signal | None:
        """Return a signal if a volume spike begins with a bar."""
        return self.volume.on_bar(bar, evidence, limits)

    def on_reading(
        self, event: OpenInterest, evidence: Evidence, limits: Threshold
    ) -> Signal | None:
        """Return a signal if open interest explodes with a reading."""
        return self.open_interest.on_reading(event, evidence, limits)
