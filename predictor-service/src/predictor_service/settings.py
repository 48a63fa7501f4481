"""What predictor-service can be told."""

from foreshock_kit.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """`ENABLE_PREDICTIVE_ZONES=true` turns zones and their warnings on; they start disabled."""

    enable_predictive_zones: bool = False
