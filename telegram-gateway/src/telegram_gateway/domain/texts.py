"""What the bot says apart from the market and its alerts: greeting, help, refusals, status."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import Delivery, FeedHealth, SignalKind, Subscription
from foreshock_schemas.names import WRITTEN
from telegram_gateway.domain import kinds, markup, numbers
from telegram_gateway.domain.subscriptions import never_started

COMMANDS: Final = {
    "price": "price, 24 h change and funding of a coin",
    "volume": "volume against the usual",
    "cvd": "taker buys less sells",
    "oi": "open interest and its changes",
    "profile": "volume by price, with a picture",
    "liquidations": "liquidations of the last hour",
    "alerts": "start, stop, kinds or status of your alerts",
    "help": "all commands",
    "start": "what this bot does",
}
"""The commands and what each is for, as Telegram shows them in its menu."""

_KINDS: Final[dict[SignalKind, str]] = {
    "liquidation": "large liquidation",
    "cascade": "cascade",
    "volume_spike": "volume spike",
    "oi_explosion": "open interest jump",
    "zone_warning": "zone warning",
    "feed": "feed trouble",
    "market_wide": "market-wide",
}
_NAMED: Final = 12
_HEARD_WITHIN_MS: Final = 3 * 60_000
"""Ingesters tell of each feed every minute."""

Blocks = list[str]


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """Which enhancements are on, and how many alerts a day a chat gets."""

    dynamic_thresholds: bool
    volume_monitoring: bool
    predictive_zones: bool
    alerts_per_day: int

    def monitored(self) -> Blocks:
        """Return a line for each detector: active or not."""
        return [
            _check("Liquidation and cascade detection", on=True),
            _check("Open interest monitoring", on=True),
            _check("Volume spike detection", on=self.volume_monitoring),
            _check("Liquidation zones", on=self.predictive_zones),
            _check("Market-wide incidents", on=True),
        ]


def _check(what: str, *, on: bool) -> str:
    return f"{'✅' if on else '▫️'} {what}: {'ACTIVE' if on else 'off'}"


def greeting(user: str) -> Blocks:
    """Return the answer to /start."""
    return [
        markup.bold(f"Welcome to Foreshock, {markup.shortened(user, 60)}."),
        "I watch liquidations, trades and open interest of crypto perpetuals and tell you when "
        "forced selling begins to feed on itself.",
        "",
        f"Alerts come by themselves; {markup.code('/alerts stop')} ends them.",
        "/help lists what else there is.",
    ]


def help_text(coins: Sequence[str]) -> Blocks:
    """Return the answer to /help."""
    example = coins[0] if coins else "BTC"
    market = ("price", "volume", "cvd", "oi", "profile", "liquidations")
    return [
        markup.bold("Market"),
        *(f"/{name} {markup.code(example)} – {markup.plain(COMMANDS[name])}" for name in market),
        "",
        markup.bold("Alerts"),
        "/alerts status – what is on, and since when",
        "/alerts stop – no more alerts, until you start them again",
        "/alerts start – alerts again",
        "/alerts kinds – which kinds you get, and how to choose",
        "",
        f"Coins followed: {markup.plain(_some(coins))}",
    ]


def which_coin(command: str, known: Sequence[str]) -> Blocks:
    """Return the answer to a market command that names no coin."""
    example = markup.code(f"/{command} {known[0] if known else 'BTC'}")
    return [f"Which coin? For example {example}.", f"Followed: {markup.plain(_some(known))}"]


def unknown_coin(word: str, near: Sequence[str], known: Sequence[str]) -> Blocks:
    """Return the answer to a coin that is not followed."""
    said = markup.bold(markup.shortened(word, 40))
    if near:
        return [f"{said} is not followed. {_meant(near)}"]
    return [f"{said} is not followed. Followed are: {markup.plain(_some(known))}"]


def no_coin(word: str, near: Sequence[str]) -> Blocks:
    """Return the answer to what cannot be a coin's name."""
    said = markup.bold(markup.shortened(word, 40))
    return [f"{said} is no coin: {WRITTEN}. {_meant(near) if near else ''}".rstrip()]


def _meant(near: Sequence[str]) -> str:
    return f"Did you mean {' or '.join(markup.code(coin) for coin in near)}?"


def unknown_command(word: str, near: Sequence[str]) -> Blocks:
    """Return the answer to a command that there is not, or to plain talk."""
    if not word:
        return ["I understand commands only; /help lists them."]
    guess = f" Did you mean {' or '.join('/' + name for name in near)}?" if near else ""
    return [f"There is no {markup.bold('/' + markup.shortened(word, 40))}.{guess} /help lists all."]


def refusal() -> Blocks:
    """Return what a stranger is told."""
    return ["Sorry, this is a private bot. Its owner can let you in by your Telegram user id."]


def auto_started(flags: Flags) -> Blocks:
    """Return the one announcement that monitoring has started by itself."""
    return [
        f"🚨 {markup.bold('Proactive monitoring auto-started')}",
        "",
        *flags.monitored(),
        "",
        f"{markup.code('/alerts stop')} disables it, {markup.code('/alerts status')} has details.",
    ]


def switched(*, active: bool, changed: bool) -> Blocks:
    """Return the answer to /alerts start and /alerts stop."""
    state = "on" if active else "off"
    again = markup.code("/alerts stop" if active else "/alerts start")
    return [
        f"Alerts are {markup.bold(state)}{'' if changed else ' already'}.",
        f"{again} {'ends' if active else 'brings'} them{'' if active else ' back'}.",
    ]


def alerts_usage(word: str) -> Blocks:
    """Return the answer to /alerts with a word that it does not know."""
    said = f"I do not know {markup.code(markup.shortened(word, 40))}. " if word else ""
    return [f"{said}Say /alerts start, stop, status, kinds, only, mute, unmute or all."]


def status(
    subscription: Subscription | None,
    flags: Flags,
    feeds: Iterable[FeedHealth],
    last: Delivery | None,
    held_back: Mapping[SignalKind, int],
    coins: Collection[str],
    now_ms: int,
) -> Blocks:
    """Return the answer to /alerts status."""
    return [
        _standing(subscription, now_ms),
        kinds.told(subscription.muted_kinds if subscription else ()),
        "",
        *flags.monitored(),
        _check("Dynamic thresholds", on=flags.dynamic_thresholds),
        "",
        f"Coins followed: {len(coins)}",
        *([_feed(health, now_ms) for health in feeds] or ["🔴 Feeds: nothing heard of any"]),
        f"Last alert: {numbers.ago(last.ts_event_ms, now_ms) if last else 'none yet'}",
        _held_back(held_back, flags.alerts_per_day),
    ]


def _some(coins: Sequence[str]) -> str:
    more = f" and {len(coins) - _NAMED} more" if len(coins) > _NAMED else ""
    return ", ".join(coins[:_NAMED]) + more if coins else "not known yet, ask in a minute"


def _held_back(held_back: Mapping[SignalKind, int], per_day: int) -> str:
    by = f"by the limit of {per_day} a day"
    if not held_back:
        return f"Held back in 24 h {by}: none"
    most_first = sorted(held_back.items(), key=lambda each: -each[1])
    some = ", ".join(f"{n} {_KINDS[kind]}{'s' if n > 1 else ''}" for kind, n in most_first)
    return f"Held back in 24 h {by}: {sum(held_back.values())} ({some})"


def _standing(subscription: Subscription | None, now_ms: int) -> str:
    if subscription is None or never_started(subscription):
        return f"Alerts are {markup.bold('off')}: never started. Say /alerts start."
    state = "on" if subscription.active else "off"
    by = "by themselves" if subscription.changed_by == "auto_start" else "by you"
    when = numbers.ago(subscription.ts_event_ms, now_ms)
    return f"Alerts are {markup.bold(state)}, set {by} {when}."


def _feed(health: FeedHealth, now_ms: int) -> str:
    good = health.state in {"LIVE", "QUIET"}
    name = markup.plain(f"{health.exchange} {health.channel}")
    if now_ms - health.ts_recv_ms > _HEARD_WITHIN_MS:
        return f"⚪ {name}: unknown, nothing heard since {numbers.clock(health.ts_recv_ms)}"
    lasted = numbers.span(max(0, now_ms - health.since_ms))
    light = "⚪" if health.state == "UNKNOWN" else "🟢" if good else "🔴"
    return f"{light} {name}: {health.state} for {lasted}"
