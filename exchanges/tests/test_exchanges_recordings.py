"""Real recordings, kept outside of the repository."""

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from foreshock_exchanges import load
from foreshock_exchanges.base import Ignored
from foreshock_exchanges.intake import Intake
from foreshock_schemas.events import Liquidation, Trade

ROOT = next(
    (
        folder / "shared/data/wire-recordings"
        for folder in Path(__file__).resolve().parents
        if (folder / "shared/data/wire-recordings").exists()
    ),
    None,
)
pytestmark = pytest.mark.skipif(ROOT is None, reason="the recordings are not on this machine")


def refused(reason: str, frame: bytes) -> None:
    raise AssertionError(f"{reason}: {frame[:200]!r}")


def test_five_minutes_of_raw_trades_of_2024():
    intake, events = Intake(load("binance"), refused), []
    packed = (ROOT / "binance_usdm_btcusdt_20240808.gz").read_bytes()
    for line in gzip.decompress(packed).splitlines():
        recv_ns, frame = line.split(b" ", 1)
        events += intake.take(frame, int(recv_ns) // 1_000_000)
    assert (intake.frames, intake.events, intake.duplicates) == (93_954, 21_313, 0)
    assert intake.ignored[Ignored.SNAPSHOT] == 1
    assert sum(e.notional_usd for e in events) == pytest.approx(149_845_680.89, abs=0.01)
    bought = sum(e.notional_usd for e in events if e.aggressor == "buy")
    assert bought == pytest.approx(77_197_396.65, abs=0.01)


def test_combined_streams_of_2021():
    intake, events = Intake(load("binance"), refused), []
    with zstandard.open(ROOT / "BINANCE_FUTURES.jsonl.zst", "rt") as lines:
        for row in map(json.loads, lines):
            if row["t"] == "recv":
                events += intake.take(row["data"].encode(), int(row["ts"] * 1000))
    trades = [event for event in events if isinstance(event, Trade)]
    assert len(trades) == 91
    assert sum(e.notional_usd for e in trades) == pytest.approx(37_718.22, abs=0.01)


def test_inverse_contracts_of_kraken_of_2021():
    adapter, found = load("kraken"), []
    intake = Intake(adapter, refused)
    with zstandard.open(ROOT / "KRAKEN_FUTURES.jsonl.zst", "rt") as lines:
        for row in map(json.loads, lines):
            if row["t"] == "http":
                adapter.learn(adapter.rest.read_instruments(row["data"].encode(), 2**43))
            if row["t"] == "recv":
                found += intake.take(row["data"].encode(), int(row["ts"] * 1000))
    assert intake.frames == 7_175
    assert intake.ignored == {
        Ignored.ACK: 31,
        Ignored.SNAPSHOT: 10,
        Ignored.OTHER_MARKET: 1,
        "other_stream:book": 7_014,
        "other_stream:book_snapshot": 10,
        "other_stream:ticker_lite": 107,
    }
    assert [(e.symbol, e.aggressor, e.notional_usd) for e in found] == [
        ("PI_LTCUSD", "buy", 320.0),
        ("PI_ETHUSD", "buy", 40.0),
    ]
    assert found[1].size_coins == pytest.approx(40 / 2005.2)


def test_liquidations_of_2026():
    adapter, found = load("binance"), []
    for line in (ROOT / "liquidation_frames_2026.jsonl").read_text().splitlines():
        if "forceOrder" in line:
            row = json.loads(line)
            frame = row.get("data", row.get("frame", row))
            raw = frame if isinstance(frame, str) else json.dumps(frame)
            parsed = adapter.parse(raw.encode(), 2**43)
            found += parsed if isinstance(parsed, list) else []
    assert found
    assert all(isinstance(each, Liquidation) and each.notional_usd > 0 for each in found)


def kept(recording, kind):
    with zstandard.open(ROOT / f"{recording}.jsonl.zst", "rt") as lines:
        for row in map(json.loads, lines):
            if row["t"] == kind:
                yield row, row["data"].encode(), int(row["ts"] * 1000)


def test_bitget_s_api_v1_of_2022_is_counted_by_its_own_words():
    intake = Intake(load("bitget"), refused)
    for _, frame, recv_ms in kept("BITGET", "recv"):
        assert intake.take(frame, recv_ms) == []
    counted = dict(intake.ignored)
    assert counted.pop(Ignored.ACK) == 40
    markets = ("sp", "mc")
    kinds = ("books", "trade", "ticker", "candle1m")
    assert set(counted) == {f"other_stream:{m}/{k}" for m in markets for k in kinds}
    assert sum(intake.ignored.values()) == intake.frames == 1_157


def test_gate_s_contracts_and_streams_of_2023():
    adapter = load("gate")
    bodies = [each for each in kept("GATEIO_FUTURES", "http") if "contracts" in each[0]["url"]]
    ((_, body, recv_ms),) = bodies
    told = adapter.rest.read_instruments(body, recv_ms)
    adapter.learn(told)
    sizes = {each.symbol: each.contract_size for each in told}
    assert (len(told), sizes["BTC_USDT"], sizes["PEPE_USDT"]) == (302, 0.0001, 1e7)
    assert [each.symbol for each in told if each.status != "trading"] == ["COCOS_USDT"]
    assert len(adapter.rest.read_premiums([body], recv_ms)) == 302
    intake = Intake(adapter, refused)
    for _, frame, recv_ms in kept("GATEIO_FUTURES", "recv"):
        intake.take(frame, recv_ms)
    assert intake.ignored == {
        Ignored.ACK: 22,
        "other_stream:futures.order_book_update": 352,
        "other_stream:futures.book_ticker": 75,
        "other_stream:futures.candlesticks": 1,
    }


def test_deribit_s_options_of_2021_are_another_market():
    adapter = load("deribit")
    told = []
    for _, body, recv_ms in kept("DERIBIT", "http"):
        told += adapter.rest.read_instruments(body, recv_ms)
    adapter.learn(told)
    inverse = {each.symbol for each in told if each.inverse}
    assert (len(told), inverse) == (19, {"BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL"})
    intake = Intake(adapter, refused)
    for _, frame, recv_ms in kept("DERIBIT", "recv"):
        intake.take(frame, recv_ms)
    assert intake.ignored == {Ignored.ACK: 1, Ignored.OTHER_MARKET: 89, "other_stream:book": 46}
