"""What the bot says apart from the market: greeting, help, refusals, alerts, their status."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import Alert, Delivery, FeedHealth, Severity, Subscription
from telegram_gateway.domain import markup, numbers

COMMANDS: Final = {
    "price": "price, 24 h change and funding of a coin",
    "volume": "volume against the usual",
    "cvd": "taker buys less sells",
    "oi": "open interest and its changes",
    "profile": "volume by price, with a picture",
    "liquidations": "liquidations of the last hour",
    "alerts": "start, stop or status of your alerts",
    "help": "all commands",
    "start": "what this bot does",
}
"""The commands and what each is for, as Telegram shows them in its menu."""

_ICONS: Final[dict[Severity, str]] = {"critical": "🚨", "warning": "⚠️", "info": "ℹ️"}
_TITLE: Final = 100
_HEADLINE: Final = 250
_LINE: Final = 600
_NAMED: Final = 12
_HEARD_WITHIN_MS: Final = 3 * 60_000
"""Ingesters tell of each feed every minute."""

Blocks = list[str]


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """Which enhancements are on."""

    dynamic_thresholds: bool
    volume_monitoring: bool
    predictive_zones: bool

    def monitored(self) -> Blocks:
        """Return a line for each detector: active or not."""
        return [
            _check("Liquidation and cascade detection", on=True),
            _check("Open interest monitoring", on=True),
            _check("Volume spike detection", on=self.volume_monitoring),
            _check("Liquidation zones", on=self.predictive_zones),
        ]


def _check(what: str, *, on: bool) -> str:
    return f"{'✅' if on else '▫️'} {what}: {'ACTIVE' if on else 'off'}"


def alert(told: Alert, *, possible_repeat: bool) -> Blocks:
    """Return an alert's message."""
    mark = "↻ " if possible_repeat else ""
    title = f"{mark}{_ICONS[told.severity]} {markup.bold(markup.shortened(told.title, _TITLE))}"
    lines = [markup.plain(markup.shortened(line, _LINE)) for line in told.lines]
    repeat = [markup.italic("This may be a repeat.")] if possible_repeat else []
    return [title, *lines, *repeat, markup.italic(numbers.clock(told.ts_event_ms))]


def bulletin(told: Sequence[Alert], *, possible_repeat: bool) -> Blocks:
    """Return one message for alerts that came at once, the most severe first."""
    mark = "↻ " if possible_repeat else ""
    worst = _ICONS[told[0].severity]
    blocks = [f"{mark}{worst} {markup.bold(f'{len(told)} alerts at once')}"]
    for each in told:
        title = markup.bold(markup.shortened(each.title, _TITLE))
        headline = markup.plain(markup.shortened(each.lines[0], _HEADLINE)) if each.lines else ""
        blocks += ["", f"{_ICONS[each.severity]} {title}", headline]
    repeat = [markup.italic("Some of it may be a repeat.")] if possible_repeat else []
    newest_ms = max(each.ts_event_ms for each in told)
    return [*blocks, "", *repeat, markup.italic(numbers.clock(newest_ms))]


def digest(missed: Sequence[Alert], *, possible_repeat: bool) -> Blocks:
    """Return one message for alerts that are history by now."""
    first, last = min(a.ts_event_ms for a in missed), max(a.ts_event_ms for a in missed)
    count = f"{len(missed)} alert{'s' if len(missed) > 1 else ''}"
    span = f"{numbers.clock(first)} to {numbers.clock(last)}"
    mark = "↻ " if possible_repeat else ""
    head = mark + markup.bold(f"{count} while the bot was away, {span}")
    rows = [
        f"{_ICONS[a.severity]} {markup.plain(markup.shortened(a.title, _TITLE))}" for a in missed
    ]
    repeat = [markup.italic("This may be a repeat.")] if possible_repeat else []
    return [head, *rows, *repeat]


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
        means = " or ".join(markup.code(coin) for coin in near)
        return [f"{said} is not followed. Did you mean {means}?"]
    return [f"{said} is not followed. Followed are: {markup.plain(_some(known))}"]


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
    return [f"{said}Say /alerts start, /alerts stop or /alerts status."]


def status(
    subscription: Subscription | None,
    flags: Flags,
    feeds: Iterable[FeedHealth],
    last: Delivery | None,
    coins: Collection[str],
    now_ms: int,
) -> Blocks:
    """Return the answer to /alerts status."""
    return [
        _standing(subscription, now_ms),
        "",
        *flags.monitored(),
        _check("Dynamic thresholds", on=flags.dynamic_thresholds),
        "",
        f"Coins followed: {len(coins)}",
        *([_feed(health, now_ms) for health in feeds] or ["🔴 Feeds: nothing heard of any"]),
        f"Last alert: {numbers.ago(last.ts_event_ms, now_ms) if last else 'none yet'}",
    ]


def _some(coins: Sequence[str]) -> str:
    more = f" and {len(coins) - _NAMED} more" if len(coins) > _NAMED else ""
    return ", ".join(coins[:_NAMED]) + more if coins else "not known yet, ask in a minute"


def _standing(subscription: Subscription | None, now_ms: int) -> str:
    if subscription is None:
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
    since = numbers.ago(health.since_ms, now_ms)
    light = "⚪" if health.state == "UNKNOWN" else "🟢" if good else "🔴"
    return f"{light} {name}: {health.state}, since {since}"
