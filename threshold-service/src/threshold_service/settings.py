"""What threshold-service can be told."""

from foreshock_kit.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """For example `ENABLE_DYNAMIC_THRESHOLDS=false`: the original constants for every coin.

    `ENABLE_VOLUME_MONITORING=false` leaves bars unwatched, so there are no volume spikes.
    """

    enable_dynamic_thresholds: bool = True
    enable_volume_monitoring: bool = True
