"""Real recordings, kept outside of the repository."""

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from foreshock_exchanges import load
from foreshock_exchanges.base import Ignored, MarkPrice, Unsized
from foreshock_exchanges.intake import Intake
from foreshock_schemas.events import Instrument, Liquidation, OpenInterest, Trade
from foreshock_schemas.testing import sample

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


def rows_of(name):
    with zstandard.open(ROOT / f"{name}.jsonl.zst", "rt") as lines:
        return [json.loads(line) for line in lines]


def bodies_of(rows, part=""):
    return [row["data"].encode() for row in rows if row["t"] == "http" and part in row["url"]]


def take_all(intake, rows):
    """Return the events in all websocket frames of a recording."""
    events = []
    for row in rows:
        if row["t"] == "recv":
            events += intake.take(row["data"].encode(), int(row["ts"] * 1000))
    return events


def liquidations_of_2026(adapter, channel):
    found = []
    for row in map(json.loads, (ROOT / "liquidation_frames_2026.jsonl").read_text().splitlines()):
        if channel in row["channel"]:
            found += adapter.parse(json.dumps(row["frame"]).encode(), 2**43)
    return found


def test_combined_streams_of_2021():
    intake = Intake(load("binance"), refused)
    events = take_all(intake, rows_of("BINANCE_FUTURES"))
    trades = [event for event in events if isinstance(event, Trade)]
    assert len(trades) == 91
    assert sum(e.notional_usd for e in trades) == pytest.approx(37_718.22, abs=0.01)


def test_inverse_contracts_of_kraken_of_2021():
    adapter, rows = load("kraken"), rows_of("KRAKEN_FUTURES")
    for body in bodies_of(rows):
        adapter.learn(adapter.rest.read_instruments(body, 2**43))
    intake = Intake(adapter, refused)
    found = take_all(intake, rows)
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


def test_bitget_s_api_v1_of_2022_is_counted_by_its_own_words():
    intake = Intake(load("bitget"), refused)
    assert take_all(intake, rows_of("BITGET")) == []
    counted = dict(intake.ignored)
    assert counted.pop(Ignored.ACK) == 40
    markets = ("sp", "mc")
    kinds = ("books", "trade", "ticker", "candle1m")
    assert set(counted) == {f"other_stream:{m}/{k}" for m in markets for k in kinds}
    assert sum(intake.ignored.values()) == intake.frames == 1_157


def test_gate_s_contracts_and_streams_of_2023():
    adapter, rows = load("gate"), rows_of("GATEIO_FUTURES")
    (body,) = bodies_of(rows, "contracts")
    told = adapter.rest.read_instruments(body, 2**43)
    adapter.learn(told)
    sizes = {each.symbol: each.contract_size for each in told}
    assert (len(told), sizes["BTC_USDT"], sizes["PEPE_USDT"]) == (302, 0.0001, 1e7)
    assert [each.symbol for each in told if each.status != "trading"] == ["COCOS_USDT"]
    assert len(adapter.rest.read_premiums([body], 2**43)) == 302
    intake = Intake(adapter, refused)
    take_all(intake, rows)
    assert intake.ignored == {
        Ignored.ACK: 22,
        "other_stream:futures.order_book_update": 352,
        "other_stream:futures.book_ticker": 75,
        "other_stream:futures.candlesticks": 1,
    }


def test_deribit_s_options_of_2021_are_another_market():
    adapter, rows = load("deribit"), rows_of("DERIBIT")
    told = []
    for body in bodies_of(rows):
        told += adapter.rest.read_instruments(body, 2**43)
    adapter.learn(told)
    inverse = {each.symbol for each in told if each.inverse}
    assert (len(told), inverse) == (19, {"BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL"})
    intake = Intake(adapter, refused)
    take_all(intake, rows)
    assert intake.ignored == {Ignored.ACK: 1, Ignored.OTHER_MARKET: 89, "other_stream:book": 46}


def expected_open_interest(rows):
    """Return the sum of all open interests in USD, read without the adapter."""
    marks, total, count = {}, 0.0, 0
    for row in rows:
        frame = json.loads(row["data"]) if row["t"] == "recv" else {}
        if frame.get("topic", "").startswith("tickers."):
            said, symbol = frame["data"], frame["data"]["symbol"]
            marks[symbol] = float(said.get("markPrice", marks.get(symbol, 0.0)))
            if "singleOpenInterest" in said:
                total += float(said["singleOpenInterest"]) * marks[symbol]
                count += 1
    return count, total


def test_linear_and_spot_streams_of_bybit():
    rows, intake = rows_of("BYBIT"), Intake(load("bybit"), refused)
    events = take_all(intake, rows)
    assert intake.frames == sum(row["t"] == "recv" for row in rows) == 3227
    trades = [event for event in events if isinstance(event, Trade)]
    assert len(trades) == 347
    assert sum(e.notional_usd for e in trades) == pytest.approx(956_712.8802, abs=0.0001)
    bought = sum(e.notional_usd for e in trades if e.aggressor == "buy")
    assert bought == pytest.approx(104_324.1038, abs=0.0001)
    interests = [event for event in events if isinstance(event, OpenInterest)]
    count, usd = expected_open_interest(rows)
    assert len(interests) == count == 20
    assert sum(e.open_interest_usd for e in interests) == pytest.approx(usd)
    assert sum(isinstance(event, MarkPrice) for event in events) == 89
    assert intake.ignored == {
        Ignored.ACK: 24,
        Ignored.UNCHANGED: 734,
        "other_stream:orderbook": 2148,
        "other_stream:kline": 96,
    }
    assert intake.duplicates == 0


def test_instruments_of_bybit():
    [body] = [r["data"] for r in rows_of("BYBIT") if "category=linear" in r.get("url", "")]
    rest = load("bybit").rest
    found = rest.read_instruments(body.encode(), 1)
    assert len(found) == 514
    assert {each.funding_interval_h for each in found} == {1.0, 4.0, 8.0}
    assert next(e for e in found if e.symbol == "SHIB1000USDT").multiplier == 1000.0
    assert rest.next_page(rest.instruments(), body.encode()) is None


def test_spot_dated_and_inverse_streams_of_okx():
    rows, adapter = rows_of("OKX"), load("okx")
    [body, *_] = [r["data"] for r in rows if r.get("url", "").endswith("instType=SWAP")]
    adapter.learn(adapter.rest.read_instruments(body.encode(), 1))
    intake = Intake(adapter, refused)
    [trade] = take_all(intake, rows)
    assert intake.frames == sum(row["t"] == "recv" for row in rows) == 410
    assert trade.event_id == "okx:UNI-USD-SWAP:trades:12883020"
    assert (trade.notional_usd, trade.aggressor) == (1_000.0, "sell")
    assert trade.size_coins == pytest.approx(1_000 / 5.123)
    assert intake.ignored == {
        Ignored.ACK: 18,
        Ignored.OTHER_MARKET: 73,
        "other_stream:books": 290,
        "other_stream:tickers": 28,
    }


def test_liquidations_of_bybit_of_2026():
    adapter = load("bybit")
    strk, ada = liquidations_of_2026(adapter, "allLiquidation")
    assert (strk.coin, strk.position) == ("STRK", "long")
    assert strk.notional_usd == pytest.approx(107.69, abs=0.005)
    assert (ada.coin, ada.position) == ("ADA", "short")
    assert ada.notional_usd == pytest.approx(2_536.99, abs=0.005)


def test_liquidations_of_okx_of_2026():
    adapter = load("okx")
    [unsized] = liquidations_of_2026(adapter, "liquidation-orders")
    assert unsized == Unsized("MINA-USDT-SWAP")
    told = {"exchange": "okx", "symbol": unsized.symbol, "coin": "MINA", "multiplier": 1.0}
    adapter.learn([sample(Instrument, contract_size=1.0, **told)])
    [mina] = liquidations_of_2026(adapter, "liquidation-orders")
    assert (mina.coin, mina.position) == ("MINA", "short")
    assert mina.notional_usd == pytest.approx(1_082.03, abs=0.005)
