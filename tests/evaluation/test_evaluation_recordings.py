import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from evaluation.recorded import source, there
from evaluation.recordings import hourly, hyperliquid, interest, liquidation_minutes
from evaluation.running import run
from pyarrow import parquet

from foreshock_schemas.events import Bar, Kline, Liquidation, OpenInterest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
BURST = "binance-liquidation-minutes-2024-12-10"


def zipped(path: Path, *lines: str) -> None:
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


def test_hyperliquid_trades_become_bars_and_late_ones_late_money(tmp_path: Path):
    at = 1_781_222_400_000
    zipped(
        tmp_path / "trades_ETH_20260612.jsonl.gz",
        f'{{"ts":{at},"px":100.0,"sz":2.0,"side":"B"}}',
        f'{{"ts":{at + 400},"px":101.0,"sz":1.0,"side":"A"}}',
        f'{{"ts":{at + 5000},"px":100.0,"sz":1.0,"side":"A"}}',
        f'{{"ts":{at + 1000},"px":100.0,"sz":4.0,"side":"B"}}',
        f'{{"ts":{at + 9000},"px":100.0,"sz":1.0,"side":"A"}}',
    )
    zipped(
        tmp_path / "ctx_ETH_20260612.jsonl.gz",
        f'{{"ts":{at + 10000},"funding":1e-05,"oi":700.0,"mark":100.5,"oracle":100.4}}',
    )

    events = list(hyperliquid.events(tmp_path))
    bars = [event for event in events if isinstance(event, Bar)]
    (reading,) = [event for event in events if isinstance(event, OpenInterest)]

    assert (bars[0].notional_usd, bars[0].taker_buy_usd, bars[0].trades) == (301.0, 200.0, 2)
    assert sum(bar.late_notional_usd for bar in bars) == 400.0
    assert (reading.open_interest_coins, reading.mark_price) == (700.0, 100.5)
    received = [event.ts_recv_ms for event in events]
    assert received == sorted(received)


def test_open_interest_is_known_half_a_minute_later(tmp_path: Path):
    zipped(tmp_path / "BTC_oi_5m.csv.gz", "t,oi,oi_usd", "1764547500000,100.0,9000000.0")

    (reading,) = [e for e in interest.events(tmp_path) if isinstance(e, OpenInterest)]

    assert (reading.coin, reading.open_interest_coins, reading.mark_price) == ("BTC", 100, 90_000)
    assert reading.ts_recv_ms - reading.ts_event_ms == 30_000


def test_minute_totals_become_as_many_equal_liquidations(tmp_path: Path):
    zipped(
        tmp_path / "minutes.csv.gz",
        "symbol,timestamp,short_liquidations,long_liquidations,short_liquidated_usd,"
        "long_liquidated_usd",
        "SUIUSDT,2024-12-10 12:36:47,1,2,50.0,300.0",
    )

    events = [e for e in liquidation_minutes.events(tmp_path) if isinstance(e, Liquidation)]

    assert [(e.coin, e.position, e.notional_usd) for e in events] == [
        ("SUI", "long", 150.0), ("SUI", "long", 150.0), ("SUI", "short", 50.0),
    ]  # fmt: skip
    assert len({event.event_id for event in events}) == 3
    assert events[0].ts_event_ms == 1_733_834_207_000


def test_hourly_candles_are_known_at_their_end_and_sides_follow_the_price(tmp_path: Path):
    opened = datetime(2025, 5, 25, 13, tzinfo=UTC)
    hour = hourly.HOUR_MS
    start_ms = int(opened.timestamp() * 1000)
    candle = {"timestamp": opened, "venue": "bybit", "coin": "BTC"}
    prices = {"o": 100.0, "h": 101.0, "l": 99.0, "c": 100.0, "v": 3.0}
    forced = [
        {"timestamp": opened.replace(hour=14, second=second), "coin": "BTC", "price": price,
         "size_usd": 50.0, "side": "S", "venue": "hyperliquid"}
        for second, price in ((1, 101.0), (2, 99.0))
    ]  # fmt: skip
    held = [{"timestamp": opened, "venue": "hyperliquid", "coin": "BTC", "oi_usd": 1e6}]
    for name, rows in (
        ("candles_1h", [candle | prices]),
        ("hyperliquid_liquidation_events_2025-05", forced),
        ("hyperliquid_open_interest_1h", held),
    ):
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / f"{name}.parquet")

    events = list(hourly.events(tmp_path))
    (kline,) = [event for event in events if isinstance(event, Kline)]
    liquidations = [event for event in events if isinstance(event, Liquidation)]

    assert (kline.ts_recv_ms, kline.notional_usd) == (start_ms + hour, 300.0)
    assert [each.position for each in liquidations] == ["short", "long"]


def test_recordings_that_are_not_there_are_left_out(tmp_path: Path):
    (tmp_path / BURST).mkdir()

    assert there(tmp_path) == [BURST]


@pytest.mark.skipif(not (DATA / BURST).is_dir(), reason="the recordings are not there")
def test_the_burst_of_december_2024_is_labelled_by_rule():
    events = run(source(DATA, BURST)).events
    market = [event for event in events if event.detector == "market-wide"]

    assert any(event.ts_event_ms <= 1_733_834_260_000 <= event.end_ms for event in market)
