"""The fake's settings, from the environment only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

_PREFIX: Final = "TELEGRAM_FAKE_"


class SettingsInvalid(Exception):
    """A setting cannot be read; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """For example `TELEGRAM_FAKE_PORT=8085 TELEGRAM_FAKE_CHAT_ID=1`.

    Without a `token` every well-formed one is accepted; without an `endpoints_file` none is
    written; port 0 takes a free one.
    """

    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    chat_id: Annotated[int, msgspec.Meta(ge=1, lt=2**52)] = 1
    user_name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "You"
    token: str | None = None
    endpoints_file: str | None = None

    @property
    def endpoints_path(self) -> Path | None:
        """Return where the endpoints are written."""
        return Path(self.endpoints_file) if self.endpoints_file else None


def load(env: Mapping[str, str]) -> Settings:
    """Read `TELEGRAM_FAKE_…` variables; an empty one counts as not set.

    Raises:
        SettingsInvalid: One of them is impossible.
    """
    names = Settings.__struct_fields__
    given = {n: env[_PREFIX + n.upper()] for n in names if env.get(_PREFIX + n.upper())}
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as e:
        raise SettingsInvalid(f"{_PREFIX}…: {e}") from e
