"""A feed for tests, as an exchange's adapter would give it."""

import msgspec


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A socket's address and words; nothing is paced, and silence is borne for half a minute."""

    url: str
    hello: tuple[str, ...] = ("subscribe",)
    retry: tuple[str, ...] = ()
    pace_s: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    silence_s: float = 30.0
    ping: str | None = None
    ping_every_s: float = 20.0
    lifetime_s: float | None = None
