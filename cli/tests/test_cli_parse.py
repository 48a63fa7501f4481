"""`foreshock parse`: events a line, counts at last, whatever the recording is like."""

import gzip
import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest
import zstandard

from foreshock_cli.main import main
from foreshock_exchanges import load
from foreshock_exchanges.base import Unsized
from foreshock_exchanges.contracts import Contracts
from foreshock_exchanges.venue import VenueAdapter

MS = 1_795_000_000_123
TRADE = {"e": "aggTrade", "E": MS, "a": 7, "s": "1000PEPEUSDT", "p": "0.5", "q": "4", "T": MS - 9}
TRADE |= {"m": True}
MARK = {"e": "markPriceUpdate", "E": MS, "s": "BTCUSDT", "p": "50000", "i": "50001", "st": 1}
ACK = {"result": None, "id": 1}
SAID = [TRADE, MARK, TRADE, ACK, {"e": "kline"}, {"e": "trade", "p": "nan"}]
FRAMES = [json.dumps(each, separators=(",", ":")) for each in SAID]
COUNTED = {
    "frames": 6,
    "events": 2,
    "ignored": {"duplicate": 1, "ack": 1, "other_stream:kline": 1},
    "malformed": 1,
    "unknown_instruments": 0,
    "duplicates": 1,
}


def bare(frames):
    return "".join(f"{frame}\n" for frame in frames).encode()


def stamped(frames):
    return "".join(f"{MS}456789 {frame}\n" for frame in frames).encode()


def line(t, **said):
    return json.dumps({"t": t, "conn": "x", "ts": MS / 1000 + 0.000456} | said).encode() + b"\n"


def lines(frames):
    return b"".join(line("recv", data=frame) for frame in frames)


@pytest.fixture
def parse(tmp_path, capfd):
    def parsed(raw, *words, exchange="binance"):
        file = tmp_path / "recording"
        file.write_bytes(raw)
        code = main(["parse", exchange, str(file), *words])
        answer = capfd.readouterr()
        told = answer.err.splitlines()
        events = [json.loads(each) for each in answer.out.splitlines()]
        return code, events, json.loads(told[-1]), told[:-1]

    return parsed


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("write", [bare, stamped, lines])
def test_every_way_and_compression_gives_the_same_events_and_counts(parse, write, pack):
    code, (trade, mark), counted, told = parse(pack(write(FRAMES)))
    assert code == 0
    assert counted == COUNTED
    assert trade == {
        "event": "Trade",
        "event_id": "binance:1000PEPEUSDT:aggTrade:7",
        "ts_event_ms": MS - 9,
        "ts_recv_ms": None if write is bare else MS,
        "exchange": "binance",
        "symbol": "1000PEPEUSDT",
        "coin": "PEPE",
        "aggressor": "sell",
        "price": 0.0005,
        "size_coins": 4000.0,
        "notional_usd": 2.0,
    }
    assert (mark["event"], mark["mark_price"], mark["index_price"]) == ("MarkPrice", 5e4, 50001.0)
    (refused,) = told
    assert "nan" in refused


def test_frames_are_those_with_events_and_those_without(parse):
    _, events, counted, _ = parse(bare(FRAMES))
    without = sum(counted["ignored"].values()) + counted["malformed"]
    assert counted["frames"] == without + len(events)


def test_a_venue_without_time_has_none_where_nobody_noted_it(tmp_path, capfd, monkeypatch):
    adapter = load("binance")
    contract = adapter.contracts.sized("BTCUSDT")
    monkeypatch.setattr(
        adapter,
        "parse",
        lambda _, ms: [contract.liquidation("i", "long", 1.0, 1.0, None, ms, "full")],
    )
    monkeypatch.setattr("foreshock_cli.parse.load", lambda _: adapter)
    (tmp_path / "recording").write_bytes(b"{}\n7000000 {}\n")
    main(["parse", "binance", str(tmp_path / "recording"), "--instruments", told(tmp_path)])
    (event,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert (event["ts_event_ms"], event["ts_recv_ms"], event["ts_source"]) == (
        None,
        None,
        "receive",
    )


def told(tmp_path, *entries):
    file = tmp_path / "instruments.json"
    file.write_text(json.dumps(entries or [INSTRUMENT]))
    return str(file)


INSTRUMENT = {
    "event_id": "i",
    "ts_event_ms": 1,
    "ts_recv_ms": 1,
    "exchange": "binance",
    "symbol": "1000PEPEUSDT",
    "coin": "FROG",
    "quote": "USDT",
    "multiplier": 10,
    "contract_size": 1,
    "status": "trading",
}
CONTRACTS = {
    "symbols": [
        {
            "symbol": "1000PEPEUSDT",
            "contractType": "PERPETUAL",
            "status": "TRADING",
            "baseAsset": "1000FROG",
            "quoteAsset": "USDT",
        }
    ]
}
HTTP = {"url": "https://host/fapi/v1/exchangeInfo", "data": json.dumps(CONTRACTS)}


def test_instruments_may_be_in_a_file_and_lack_what_has_a_default(parse, tmp_path):
    other = INSTRUMENT | {"exchange": "mtgox", "coin": "OTHER"}
    file = told(tmp_path, INSTRUMENT, other)
    _, (trade, _), *_ = parse(bare(FRAMES), "--instruments", file)
    assert (trade["coin"], trade["price"], trade["size_coins"]) == ("FROG", 0.05, 40.0)


def test_instruments_may_be_one_a_line_as_tail_prints_them_the_last_word_counting(parse, tmp_path):
    before = INSTRUMENT | {"coin": "TOAD"}
    lines = [
        json.dumps({"partition": 0, "offset": offset} | each)
        for offset, each in enumerate((before, INSTRUMENT))
    ]
    (tmp_path / "it").write_text("\n".join(lines) + "\n")
    _, (trade, _), *_ = parse(bare(FRAMES), "--instruments", str(tmp_path / "it"))
    assert trade["coin"] == "FROG"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"multiplier": 0}, "entry 2: Expected `float` > 0.0 - at `$.multiplier`"),
        ({"contract_size": "1"}, "entry 2: Expected `float`, got `str` - at `$.contract_size`"),
        ({"status": "?"}, "entry 2: Invalid enum value '?' - at `$.status`"),
    ],
)
def test_a_wrong_instrument_is_named_with_its_field(parse, tmp_path, entry, problem):
    file = told(tmp_path, INSTRUMENT, INSTRUMENT | entry)
    code, events, counted, (said,) = parse(bare(FRAMES), "--instruments", file)
    assert (code, events, counted["frames"]) == (1, [], 0)
    assert problem in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "neither in a JSON list nor one a line"),
        ("[{", "neither in a JSON list nor one a line"),
        ("[]", "none of the 0 instruments"),
        ('[{"symbol": "A"}]', "entry 1: Object missing required field `"),
        (json.dumps([INSTRUMENT | {"exchange": "mtgox"}]), "is of binance"),
    ],
)
def test_a_file_without_instruments_says_so(parse, tmp_path, text, problem):
    (tmp_path / "it").write_text(text)
    code, _, _, (said,) = parse(bare(FRAMES), "--instruments", str(tmp_path / "it"))
    assert code == 1
    assert problem in said


@pytest.mark.parametrize("first", [True, False])
def test_instruments_of_a_rest_body_are_read_before_the_frames(parse, first):
    parts = [line("http", **HTTP), lines(FRAMES)]
    _, (trade, _), counted, _ = parse(b"".join(parts if first else reversed(parts)))
    assert trade["coin"] == "FROG"
    assert counted == COUNTED


@pytest.mark.parametrize("url", ["https://host/fapi/v1/time", "https://host/fapi/v1/exchangeInfo2"])
def test_other_rest_bodies_are_not_instruments(parse, url):
    _, (trade, _), *_ = parse(line("http", **HTTP | {"url": url}) + lines(FRAMES))
    assert trade["coin"] == "PEPE"


def test_a_body_that_cannot_be_read_is_told_and_passed_over(parse):
    broken = line("http", **HTTP | {"data": '{"code":-1003}'})
    code, (trade, _), _, said = parse(broken + line("http", **HTTP) + lines(FRAMES))
    assert (code, trade["coin"]) == (0, "FROG")
    assert "the instruments of https://host/fapi/v1/exchangeInfo cannot be read" in said[0]


def test_a_damaged_archive_gives_what_could_be_read_and_an_error(parse):
    for pack in (gzip.compress, zstandard.compress):
        packed = pack(b"".join(stamped([json.dumps(TRADE | {"a": n})]) for n in range(20_000)))
        code, events, counted, said = parse(packed[: len(packed) // 2])
        assert code == 1
        assert 1_000 < len(events) == counted["events"] < 20_000
        assert f"is cut off or broken after {len(events)} good frames" in said[-1]


def test_two_archives_in_one_file_are_one_recording(parse):
    for pack in (gzip.compress, zstandard.compress):
        _, _, counted, _ = parse(pack(bare(FRAMES)) + pack(bare(FRAMES)))
        assert counted["frames"] == 2 * len(FRAMES)


def test_bytes_that_are_no_text_are_malformed_frames(parse):
    rubbish = bytes(range(256)) * 3
    code, events, counted, said = parse(rubbish + b"\n" + b"9" * 5_000 + b" {}\n" + lines(FRAMES))
    assert (code, len(events)) == (0, 2)
    assert counted["malformed"] == counted["frames"] - 5
    assert len(said) == counted["malformed"]


def test_many_refused_frames_are_counted_in_a_line(parse):
    *_, counted, said = parse(b"x\n" * 500)
    assert counted["malformed"] == 500
    assert len(said) == 11
    assert "and 490 more" in said[-1]


def test_binary_frames_are_in_base64(parse):
    packed = json.dumps(TRADE).encode()
    record = {"t": "recv", "conn": "x", "ts": 1795000000.5, "b64": packed}
    _, (trade,), *_ = parse(msgspec.json.encode(record) + b"\n")
    assert trade["ts_recv_ms"] == 1_795_000_000_500


def test_a_packed_frame_that_could_not_be_taken_is_shown_unpacked(parse):
    record = {"t": "recv", "conn": "x", "ts": 1795000000.5, "b64": gzip.compress(b'{"ping":7}')}
    *_, (said,) = parse(msgspec.json.encode(record) + b"\n")
    assert '{"ping":7}' in said


def test_a_file_that_is_not_there_is_told(tmp_path, capfd):
    assert main(["parse", "binance", str(tmp_path / "nothing-here")]) == 1
    assert "nothing-here" in capfd.readouterr().err


def test_a_pipe_is_read_once_so_instruments_have_to_be_told(tmp_path, capfd):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main(["parse", "binance", str(pipe)]) == 1
    assert "say --instruments" in capfd.readouterr().err


def test_whoever_has_read_enough_ends_it_quietly(tmp_path):
    file = tmp_path / "recording"
    file.write_bytes(b"".join(bare([json.dumps(TRADE | {"a": n})]) for n in range(5_000)))
    words = [sys.executable, "-m", "foreshock_cli", "parse", "binance", str(file)]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, **pipe) as running:
        assert json.loads(running.stdout.readline())["event"] == "Trade"
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() not in {1, -signal.SIGPIPE}


def test_a_bar_is_shown_to_a_person_and_the_counts_stay_last(tmp_path):
    file = tmp_path / "recording"
    file.write_bytes(lines(FRAMES))
    ours, theirs = os.openpty()
    words = [sys.executable, "-m", "foreshock_cli", "parse", "binance", str(file)]
    run = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    assert run.returncode == 0
    assert "reading" in said
    assert json.loads(said[said.rindex('{"frames"') :]) == COUNTED


class Lots(VenueAdapter):
    """A venue whose sizes are lots: nobody knows what a lot is before they are told."""

    name = "binance"
    rest = load("binance").rest

    def __init__(self):
        super().__init__(Contracts(Unsized))

    def read(self, frame, recv_ms):
        rows = json.loads(frame)
        return self.each(rows, str, lambda known, _: known.trade("t", 1, "buy", 2, 3, 1, recv_ms))


@pytest.mark.parametrize("words", [(), ("--instruments",)])
def test_what_has_no_size_is_refused_and_counted_until_it_is_told(
    parse, tmp_path, monkeypatch, words
):
    monkeypatch.setattr("foreshock_cli.parse.load", lambda _: Lots())
    words = (*words, told(tmp_path)) if words else ()
    _, events, counted, said = parse(b'["1000PEPEUSDT"]\n', *words)
    assert counted["unknown_instruments"] == 1 - len(events) == 1 - len(words) // 2
    assert counted["ignored"] == ({} if words else {"unknown_instrument": 1})
    assert ["the size of 1000PEPEUSDT is not known" in each for each in said] == [True] * (
        not words
    )
