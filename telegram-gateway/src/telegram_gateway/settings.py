"""What telegram-gateway can be told."""

from typing import Annotated

import msgspec

from foreshock_kit.bot_token import token_problem
from foreshock_kit.environment import Secret
from foreshock_kit.settings import ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """For example `TELEGRAM_AUTHORIZED_USERS=123456789`: who may talk to the bot.

    The other services' settings are here only for what the bot says about them.
    """

    telegram_bot_token: Secret
    telegram_api_url: str = "https://api.telegram.org"
    telegram_authorized_users: tuple[int, ...] = ()
    telegram_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    enable_auto_start: bool = True
    enable_dynamic_thresholds: bool = True
    enable_volume_monitoring: bool = True
    enable_predictive_zones: bool = False
    alerts_per_day: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 60

    def problems(self) -> tuple[str, ...]:
        """Return what cannot be or does not go together, a line each."""
        wrong = token_problem(self.telegram_bot_token)
        return (*super().problems(), *(() if wrong is None else (wrong,)))
