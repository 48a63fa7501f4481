"""Answers to `/liquidations`: who was closed by force in the last hour, as blocks of markup."""

from collections.abc import Sequence
from typing import Final

from foreshock_schemas.events import Liquidation, Zone
from telegram_gateway.domain import markup, numbers
from telegram_gateway.domain.views import CoinView, Views

_HOUR_MS: Final = 3_600_000
_LARGEST: Final = 5
_NEAREST: Final = 3

Blocks = list[str]


def of_coin(coin: str, view: CoinView, now_ms: int) -> Blocks:
    """Return one coin's liquidations of the last hour, and where the next are expected."""
    found = view.liquidations.since(now_ms - _HOUR_MS)
    blocks = [f"{markup.bold(coin)}  liquidated in the last hour", _sides(found)]
    blocks += [_liquidation_line(each) for each in _largest(found)]
    if view.threshold:
        limit = numbers.usd(view.threshold.single_liquidation_usd)
        blocks.append(f"large  from {limit} on by rule of thumb; what is learned may differ")
    if view.zones and view.price:
        blocks += [_zone_line(zone, view.price) for zone in view.zones.zones[:_NEAREST]]
    return blocks


def of_all(views: Views, now_ms: int) -> Blocks:
    """Return the last hour's liquidations of all coins: totals, then the largest."""
    since = now_ms - _HOUR_MS
    by_coin = {name: view.liquidations.since(since) for name, view in views.coins.items()}
    every = [each for found in by_coin.values() for each in found]
    ranked = sorted(by_coin, key=lambda name: -sum(e.notional_usd for e in by_coin[name]))
    blocks = [markup.bold("Liquidated in the last hour"), _sides(every)]
    blocks += [
        f"{markup.bold(name)}  {_sides(by_coin[name])}"
        for name in ranked[:_LARGEST]
        if by_coin[name]
    ]
    if every:
        blocks += [
            "",
            markup.bold("Largest"),
            *(_liquidation_line(e, True) for e in _largest(every)),
        ]
    return blocks


def _sides(found: Sequence[Liquidation]) -> str:
    if not found:
        return "nothing seen"
    longs = sum(e.notional_usd for e in found if e.position == "long")
    shorts = sum(e.notional_usd for e in found if e.position == "short")
    floor = "at least " if any(e.coverage != "full" for e in found) else ""
    orders = f"{len(found)} order{'s' if len(found) > 1 else ''}"
    return f"{floor}{numbers.usd(longs)} of longs, {numbers.usd(shorts)} of shorts, {orders}"


def _zone_line(zone: Zone, price_now: float) -> str:
    away = numbers.percent((zone.price / price_now - 1) * 100)
    return (
        f"zone  about {numbers.usd(zone.expected_usd)} of {zone.position}s at "
        f"${numbers.price(zone.price)} ({away})"
    )


def _largest(found: Sequence[Liquidation]) -> list[Liquidation]:
    return sorted(found, key=lambda e: -e.notional_usd)[:_LARGEST]


def _liquidation_line(each: Liquidation, with_coin: bool = False) -> str:
    sign = "🔴" if each.position == "long" else "🟢"
    coin = f"{markup.plain(each.coin)} " if with_coin else ""
    return (
        f"{sign} {coin}{numbers.usd(each.notional_usd)} {each.position} at "
        f"${numbers.price(each.price)}, {numbers.clock(each.ts_event_ms)}"
    )
