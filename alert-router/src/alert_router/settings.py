"""What alert-router can be told."""

from typing import Annotated

import msgspec

from foreshock_kit.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """For example `ALERT_COOLDOWN_S=300`: one alert per coin and kind in five minutes.

    `ALERTS_PER_DAY=60`: how many a chat gets in 24 h before warnings are held back.
    """

    alert_cooldown_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 300
    alerts_per_day: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 60
