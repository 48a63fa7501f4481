"""What threshold-service can be told."""

from typing import Annotated

import msgspec

from foreshock_kit.settings import ServiceSettings

PerDay = Annotated[float, msgspec.Meta(ge=0, le=1_000)]


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """For example `ENABLE_DYNAMIC_THRESHOLDS=false`: the original constants for every coin.

    With `ENABLE_VOLUME_MONITORING=false` there are no volume spikes. The numbers are how many
    alerts a day each coin may raise, beside critical ones and confirmed cascades.
    """

    enable_dynamic_thresholds: bool = True
    enable_volume_monitoring: bool = True
    volume_alerts_per_day: PerDay = 3.0
    oi_alerts_per_day: PerDay = 2.0
    liquidation_alerts_per_day: PerDay = 3.0
    cascade_alerts_per_day: PerDay = 1.0
