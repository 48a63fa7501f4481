"""Answers to the market commands, as blocks of markup; what is not known is said to be so."""

from collections.abc import Callable
from typing import Final

from foreshock_schemas.events import OpenInterest
from telegram_gateway.domain import liquidated, markup, numbers
from telegram_gateway.domain.flows import Flow
from telegram_gateway.domain.profile import picture, value_area
from telegram_gateway.domain.views import CoinView

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS
_WINDOWS: Final = ((5, "5 min"), (15, "15 min"), (60, "1 h"))
_FRESH_MS: Final = 5 * _MINUTE_MS
"""Open interest comes each minute; what is older is no part of a sum."""
_YEAR_H: Final = 8760

Blocks = list[str]
Answer = Callable[[str, CoinView, int], Blocks]


def price(coin: str, view: CoinView, now_ms: int) -> Blocks:
    """Return the price, its change of 24 h, mark, and funding."""
    if view.price is None:
        return _unknown(coin, "price")
    blocks = [f"{markup.bold(coin)}  {markup.bold('$' + numbers.price(view.price))}"]
    if (change_pct := _change_24h_pct(view, view.price)) is not None:
        blocks.append(f"24 h  {numbers.percent(change_pct)}")
    if view.mark_price is not None:
        blocks.append(f"mark  ${numbers.price(view.mark_price)}")
    blocks += [_funding(reading) for reading in _newest_readings(view, now_ms)]
    return [*blocks, _updated(view.price_ms, now_ms)]


def _change_24h_pct(view: CoinView, price: float) -> float | None:
    """Return the change to `price`, from what the last poll says the price was a day ago."""
    stats = view.stats
    if stats is None or not stats.price or stats.price_change_24h_pct is None:
        return None
    return (price / stats.price * (1 + stats.price_change_24h_pct / 100) - 1) * 100


def volume(coin: str, view: CoinView, now_ms: int) -> Blocks:
    """Return the volume of 24 h and of recent windows, against the usual."""
    daily = view.stats.volume_24h_usd if view.stats else None
    usual = view.stats.avg_daily_volume_usd if view.stats else None
    blocks = [f"{markup.bold(coin)}  volume"]
    if daily is not None:
        blocks.append(f"24 h  {markup.bold(numbers.usd(daily))}")
    if usual and view.stats:
        blocks.append(f"usual  {numbers.usd(usual)} a day ({view.stats.volume_days} days)")
    for minutes, name in _WINDOWS[1:]:
        window_ms = minutes * _MINUTE_MS
        if flow := view.trading.over(window_ms, now_ms):
            blocks.append(_volume_line(name, window_ms, flow, usual, now_ms))
    limit = view.threshold.volume_15m_usd if view.threshold else None
    if limit:
        blocks.append(f"spike  from {numbers.usd(limit)} in 15 min on")
    return blocks if len(blocks) > 1 else _unknown(coin, "volume")


def cvd(coin: str, view: CoinView, now_ms: int) -> Blocks:
    """Return what takers bought less what they sold, over recent windows."""
    blocks = [f"{markup.bold(coin)}  taker buys less sells (CVD)"]
    for minutes, name in _WINDOWS:
        window_ms = minutes * _MINUTE_MS
        flow = view.trading.over(window_ms, now_ms)
        if flow is None:
            return _unknown(coin, "trades")
        share = flow.bought_usd / flow.traded_usd if flow.traded_usd else 0.5
        delta = f"{'+' if flow.delta_usd >= 0 else ''}{numbers.usd(flow.delta_usd)}"
        notes = ", ".join([f"{share:.0%} bought", *_partial(flow, window_ms, now_ms)])
        blocks.append(f"{name}  {markup.bold(delta)}  ({notes})")
    return [*blocks, _updated(view.price_ms, now_ms)]


def open_interest(coin: str, view: CoinView, now_ms: int) -> Blocks:
    """Return open interest in all and by exchange, its changes, and funding."""
    newest = _newest_readings(view, now_ms)
    silent = _silent(view, now_ms)
    if not newest:
        return silent or _unknown(coin, "open interest")
    coins = sum(reading.open_interest_coins for reading in newest)
    money = sum(reading.open_interest_usd for reading in newest)
    blocks = [
        f"{markup.bold(coin)}  open interest {markup.bold(numbers.usd(money))}"
        f"  ({numbers.short(coins)} {markup.plain(coin)})"
    ]
    for minutes, name in _WINDOWS:
        change = _change_pct(view, minutes * _MINUTE_MS)
        if change is not None:
            blocks.append(f"{name}  {numbers.percent(change, 2)}")
    for reading in newest:
        blocks += [
            f"{markup.plain(reading.exchange)}  {numbers.usd(reading.open_interest_usd)}",
            _funding(reading),
        ]
    return [*blocks, *silent, _updated(min(r.ts_event_ms for r in newest), now_ms)]


def profile(coin: str, view: CoinView, now_ms: int) -> Blocks:
    """Return the volume profile of the last day, with its picture."""
    rows = view.profile.rows()
    area = value_area(rows)
    if area is None:
        return _unknown(coin, "volume by price")
    return [
        f"{markup.bold(coin)}  volume profile, 24 h",
        f"most traded  {markup.bold('$' + numbers.price(area.most_traded))}",
        f"value area  ${numbers.price(area.low)} – ${numbers.price(area.high)} (70 %)",
        markup.block("\n".join(picture(rows, view.price))),
        _updated(view.price_ms, now_ms),
    ]


COMMANDS: Final[dict[str, Answer]] = {
    "price": price,
    "volume": volume,
    "cvd": cvd,
    "oi": open_interest,
    "profile": profile,
    "liquidations": liquidated.of_coin,
}
"""The market commands by name; `/liquidations` without a coin is `liquidated.of_all`."""


def _unknown(coin: str, what: str) -> Blocks:
    return [f"{markup.bold(coin)}: no {what} seen yet since the start. Try again in a minute."]


def _updated(ms: int, now_ms: int) -> str:
    return markup.italic(f"as of {numbers.clock(ms)}, {numbers.ago(ms, now_ms)}")


def _newest_readings(view: CoinView, now_ms: int) -> list[OpenInterest]:
    return [r for r in _last_readings(view) if now_ms - r.ts_recv_ms <= _FRESH_MS]


def _silent(view: CoinView, now_ms: int) -> Blocks:
    return [
        f"{markup.plain(reading.exchange)}  not counted: "
        f"nothing since {numbers.clock(reading.ts_recv_ms)}"
        for reading in _last_readings(view)
        if now_ms - reading.ts_recv_ms > _FRESH_MS
    ]


def _last_readings(view: CoinView) -> list[OpenInterest]:
    return [readings[-1] for _, readings in sorted(view.open_interest.items()) if readings]


def _funding(reading: OpenInterest) -> str:
    if reading.funding_rate is None or not reading.funding_interval_h:
        return f"funding on {markup.plain(reading.exchange)} unknown"
    hourly = reading.funding_rate / reading.funding_interval_h
    return (
        f"funding  {numbers.percent(reading.funding_rate * 100, 4)} per "
        f"{reading.funding_interval_h:g} h on {markup.plain(reading.exchange)} "
        f"({numbers.percent(hourly * _YEAR_H * 100)} a year)"
    )


def _volume_line(name: str, window_ms: int, flow: Flow, usual: float | None, now_ms: int) -> str:
    notes = _partial(flow, window_ms, now_ms)
    if usual:
        notes.insert(0, f"{flow.traded_usd / (usual * window_ms / _DAY_MS):.1f} x the usual")
    noted = f"  ({', '.join(notes)})" if notes else ""
    return f"{name}  {markup.bold(numbers.usd(flow.traded_usd))}{noted}"


def _partial(flow: Flow, window_ms: int, now_ms: int) -> list[str]:
    """Return a note, if not all of the window was seen."""
    whole = flow.since_ms <= now_ms - window_ms
    return [] if whole else [f"only {numbers.span(now_ms - flow.since_ms)} seen"]


def _change_pct(view: CoinView, window_ms: int) -> float | None:
    """Return the change of coins held over exchanges that have a reading at both ends."""
    before = after = 0.0
    for readings in view.open_interest.values():
        newest = readings[-1]
        then_ms = newest.ts_event_ms - window_ms * 0.9
        old = [r for r in readings if newest.comparable_since_ms <= r.ts_event_ms <= then_ms]
        if old:
            before += old[-1].open_interest_coins
            after += newest.open_interest_coins
    return (after / before - 1) * 100 if before else None
