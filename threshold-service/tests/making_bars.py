"""Bars and candles of a coin of a thousand dollars a second, and a detector that knows it."""

import random

import msgspec
from fake_surroundings import FakeSurroundings

from foreshock_schemas.events import Bar, Kline
from foreshock_schemas.testing import sample
from threshold_service.domain.adaptive.volume import Volume

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_789_948_800_000  # a Monday
DAILY_USD = 86_400e3  # a thousand a second
LIMIT_USD = DAILY_USD / 96 * 3


class Around(FakeSurroundings):
    """A coin of a thousand dollars a second."""

    def __init__(self, per_day=3.0, limit_usd=LIMIT_USD, daily_usd=DAILY_USD, **known):
        super().__init__(
            {"volume_spike": per_day},
            session_multiplier=1.0,
            volume_15m_usd=limit_usd,
            avg_daily_volume_usd=daily_usd,
            **known,
        )


def bar(second, usd, exchange="binance", length_s=1, bought=0.5, late_usd=0.0, **fields):
    start_ms = T0 + second * 1000
    return sample(
        Bar,
        event_id=f"{exchange}:SOL:bar:{second}",
        ts_event_ms=start_ms + length_s * 1000,
        ts_recv_ms=start_ms + length_s * 1000 + 900,
        exchange=exchange,
        coin="SOL",
        start_ms=start_ms,
        notional_usd=usd,
        **{
            "close": 150.0,
            "taker_buy_usd": usd * bought,
            "largest_cluster_usd": usd / 4,
            "late_notional_usd": late_usd,
        }
        | fields,
    )


def feed(volume, bars, around=None, offset=0):
    """Return what it found, each with the second after it."""
    around = around or Around()
    findings = []
    for b in bars:
        finding = volume.on_bar(b, offset, around)
        offset += 1
        if finding is not None:
            findings.append(((b.ts_event_ms - T0) // 1000, finding))
    return findings


def calm(start, end, exchanges=("binance",), usd=1000.0, seed=1, spread=0.5):
    """A bar each second, but for every ninth."""
    rng = random.Random(seed)
    for second in range(start, end):
        for exchange in exchanges:
            if second % 9:
                yield bar(second, usd / len(exchanges) * rng.lognormvariate(0, spread), exchange)


def candles(exchange, days=30, usd=DAILY_USD / 24):
    rng = random.Random(exchange)
    for hour in range(-days * 24, 0):
        yield sample(
            Kline,
            exchange=exchange,
            coin="SOL",
            interval="1h",
            start_ms=T0 + hour * HOUR,
            ts_event_ms=T0 + (hour + 1) * HOUR,
            notional_usd=usd * rng.lognormvariate(0, 0.2),
        )


def warmed(exchanges=("binance",), until=3 * 3600):
    """A coin with a month of history and three calm hours."""
    volume = Volume()
    for exchange in exchanges:
        for candle in candles(exchange, usd=DAILY_USD / 24 / len(exchanges)):
            volume.on_candle(candle)
    assert feed(volume, calm(0, until, exchanges)) == []
    return volume


_WARM = {
    exchanges: msgspec.msgpack.encode(warmed(exchanges))
    for exchanges in (("binance",), ("binance", "bybit", "okx"))
}
NOW = 3 * 3600


def warm(*exchanges):
    return msgspec.msgpack.decode(_WARM[exchanges or ("binance",)], type=Volume)


def spike(start, seconds, usd=20_000.0, exchange="binance", **fields):
    return [bar(second, usd, exchange, **fields) for second in range(start, start + seconds)]
