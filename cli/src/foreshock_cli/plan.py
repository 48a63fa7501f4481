"""What `foreshock up` starts: the one place that tells a demo from the real thing."""

import secrets
from collections.abc import Mapping
from typing import Final

import msgspec

from foreshock_kit.environment import load
from foreshock_schemas.topics import KLINES, STATE, TRADES, Topic

SERVICES: Final = (
    "oi-poller",
    "ingest-liquidations",
    "ingest-trades",
    "threshold-service",
    "predictor-service",
    "alert-router",
    "telegram-gateway",
)
"""In the order of their start: whoever decides the universe first."""

_EMBEDDED_RETENTION_MS: Final = 20 * 60_000
"""The embedded broker slows down with what it holds; detectors look back 18 minutes at most."""

_READ_ONCE_MS: Final = {TRADES: 20_000, KLINES: 60_000}
"""They are most of all records, and read at once: nobody goes back to them."""

_STATE_MS: Final = 150 * 60_000
"""Each coin's state is written every hour: the newest is always there, whatever else has gone."""

DEMO_EXCHANGES: Final = ("binance", "bybit", "okx")
_DEMO_CHAT: Final = 1


class UnknownService(Exception):
    """`--only` names a service that does not exist."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Which parts run, the environment that all services share, and how long a stop may take."""

    services: tuple[str, ...]
    embedded_broker: bool
    simulated_market: bool
    telegram_fake: bool
    env: dict[str, str]
    chat_id: int | None
    grace_s: float

    def describe(self) -> tuple[str, ...]:
        """Return what the banner says about this run, a line each."""
        env = self.env
        lines: tuple[str, ...] = (
            "broker    embedded, for trying out: nothing is kept after the stop"
            if self.embedded_broker
            else f"broker    {env['KAFKA_BOOTSTRAP_SERVERS']}",
            "market    SIMULATED: no real prices (EXCHANGES=binance,bybit,okx for real ones)"
            if self.simulated_market
            else f"market    {env['EXCHANGES']}",
            "telegram  a fake on this machine (TELEGRAM_BOT_TOKEN=... for the real one)"
            if self.telegram_fake
            else "telegram  the real Bot API",
        )
        if env.get("HEALTH_PORT", "0") != "0":
            lines += ("health    a port for each service, not HEALTH_PORT: var/run/endpoints.json",)
        return lines


class _Ending(msgspec.Struct, frozen=True):
    grace_s: float = 2.0  # Ctrl-C ends everything within 5 s


def embedded_retention_ms(topic: Topic) -> int:
    """Return how long the embedded broker keeps a topic's records; ms."""
    if topic == STATE:
        return _STATE_MS
    return _READ_ONCE_MS.get(topic, _EMBEDDED_RETENTION_MS)


def make(environ: Mapping[str, str], only: tuple[str, ...] = ()) -> Plan:
    """Return the plan for this environment.

    Without `EXCHANGES` the market is simulated; without `TELEGRAM_BOT_TOKEN` (or its
    `_FILE`) Telegram is a fake; without `KAFKA_BOOTSTRAP_SERVERS` the broker is embedded.

    Raises:
        UnknownService: `only` names one that there is not.
        SettingsInvalid: `GRACE_S` is no number.
    """
    if strangers := [name for name in only if name not in SERVICES]:
        raise UnknownService(
            f"no service {', '.join(map(repr, strangers))}; there are: {', '.join(SERVICES)}"
        )
    simulated = not environ.get("EXCHANGES")
    fake = not (environ.get("TELEGRAM_BOT_TOKEN") or environ.get("TELEGRAM_BOT_TOKEN_FILE"))
    grace_s = load(_Ending, environ).grace_s
    embedded = not environ.get("KAFKA_BOOTSTRAP_SERVERS")
    env = (without_kafka(environ) if embedded else dict(environ)) | {"GRACE_S": str(grace_s)}
    if simulated:
        env |= {"EXCHANGES": ",".join(DEMO_EXCHANGES), "MARKET_CAP_SOURCES": "binance,bundled"}
        env.setdefault("ENABLE_PREDICTIVE_ZONES", "true")
    if fake:
        env["TELEGRAM_BOT_TOKEN"] = (
            f"{10**9 + secrets.randbelow(10**9)}:{secrets.token_urlsafe(26)}"
        )
        env["TELEGRAM_AUTHORIZED_USERS"] = str(_DEMO_CHAT)
    return Plan(
        services=tuple(name for name in SERVICES if not only or name in only),
        embedded_broker=embedded,
        simulated_market=simulated,
        telegram_fake=fake,
        env=env,
        chat_id=_DEMO_CHAT if fake else None,
        grace_s=grace_s,
    )


def without_kafka(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what is said about somebody else's broker."""
    return {name: text for name, text in environ.items() if not name.startswith("KAFKA_")}


def module_of(service: str) -> str:
    """Return the import name of a service."""
    return service.replace("-", "_")
