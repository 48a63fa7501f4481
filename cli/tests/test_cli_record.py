"""`foreshock record` on a real websocket and a real REST host: the simulated Binance."""

import asyncio
import contextlib
import gzip
import http.server
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
import zstandard

from foreshock_cli.capture import CannotRecord, Capture
from foreshock_cli.main import main
from foreshock_cli.recording import Damaged, bodies, frames
from foreshock_cli.tape import CannotWrite, Tape
from foreshock_exchanges.rest import Request, Ticker
from foreshock_kit.testing import eventually
from foreshock_schemas.events import Instrument
from foreshock_schemas.testing import sample


def waited(check):
    asyncio.run(eventually(check, 20.0))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    file = tmp_path_factory.mktemp("simulator") / "endpoints.json"
    env = {"SIM_ENDPOINTS_FILE": str(file), "SIM_SCENARIO": "demo"}
    words = [sys.executable, "-m", "foreshock_simulator"]
    with subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL) as running:
        waited(file.exists)
        yield json.loads(file.read_text())["binance"]
        running.terminate()


@pytest.fixture
def hosts(simulated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def set_to(rest=simulated, ws=simulated):
        monkeypatch.setenv("EXCHANGE_REST_URLS", f"binance={rest}")
        monkeypatch.setenv("EXCHANGE_WS_URLS", f"binance={ws.replace('http', 'ws')}")

    set_to()
    return set_to


def record(*words):
    return main(["record", "--exchange", "binance", *words])


def lines_of(file):
    """Return the lines that are in a file already, be it finished or not."""
    with zstandard.open(file, "rb") as lines:
        return list(map(json.loads, lines.read().split(b"\n")[:-1]))


def parsed(file, capfd):
    capfd.readouterr()
    code = main(["parse", "binance", str(file)])
    answer = capfd.readouterr()
    events = list(map(json.loads, answer.out.splitlines()))
    return code, events, json.loads(answer.err.splitlines()[-1])


def test_what_was_recorded_is_what_parse_reads(hosts, tmp_path, capfd):
    before_ms = time.time_ns() // 1_000_000
    assert record("--for", "1.5") == 0
    (file,) = tmp_path.glob("binance-*T*Z.jsonl.zst")
    said = capfd.readouterr()
    assert said.err == ""
    assert said.out.startswith(f"{file.name}: 2 s, ")
    code, events, counted = parsed(file, capfd)
    assert code == counted["malformed"] == counted["unknown_instruments"] == 0
    assert f"{counted['frames']} frames" in said.out.replace(",", "")
    kinds = {event["event"] for event in events}
    assert {"Trade", "MarkPrice"} <= kinds
    trades = [event for event in events if event["event"] == "Trade"]
    assert f"{len(trades)} Trade" in said.out.replace(",", "")
    assert len({trade["coin"] for trade in trades}) <= 10
    assert all(before_ms <= event["ts_recv_ms"] <= before_ms + 60_000 for event in events)
    assert trades[0]["ts_event_ms"] <= trades[0]["ts_recv_ms"]


def test_the_file_is_in_the_way_that_other_recordings_are(hosts, tmp_path, simulated):
    assert record("--for", "1", "--coins", "btc,Eth", "--output", "it.zst") == 0
    header, contracts, *rest = lines_of(tmp_path / "it.zst")
    assert (header["t"], header["format"], header["exchange"]) == ("header", 2, "binance")
    assert contracts["url"] == f"{simulated}/fapi/v1/exchangeInfo"
    assert "BTCUSDT" in contracts["data"]
    assert [each["t"] for each in rest[:2]] == ["connect", "recv"]
    assert {each["t"] for each in rest} == {"connect", "recv"}
    assert {each["conn"] for each in rest} == {"binance.ws.1", "binance.ws.2"}
    traded = {json.loads(each["data"]).get("s") for each in rest if "aggTrade" in str(each)}
    assert traded == {"BTCUSDT", "ETHUSDT"}
    (body,) = bodies(tmp_path / "it.zst")
    assert body.url == contracts["url"]


def test_how_far_it_is_is_shown_to_a_person(hosts):
    ours, theirs = os.openpty()
    words = [sys.executable, "-m", "foreshock_cli", "record", "--exchange", "binance"]
    run = subprocess.run([*words, "--for", "1"], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    assert run.returncode == 0
    assert re.search(r"\d s, \d+ frames, .*\d+ Trade", said)


def test_one_channel_alone(hosts, tmp_path):
    assert record("--for", "1", "--channels", "trades", "--output", "it.zst") == 0
    assert {each["conn"] for each in lines_of(tmp_path / "it.zst")[3:]} == {"binance.ws.1"}


def test_a_file_that_is_there_stays(hosts, tmp_path, capfd):
    (tmp_path / "it.zst").write_text("mine")
    assert record("--output", "it.zst") == 1
    assert (tmp_path / "it.zst").read_text() == "mine"
    (said,) = capfd.readouterr().err.splitlines()
    assert "it.zst is there already" in said


def test_a_folder_that_is_not_there_is_told(hosts, tmp_path, capfd):
    assert record("--output", "nowhere/it.zst") == 1
    assert "nowhere/it.zst" in capfd.readouterr().err


def test_what_cannot_be_a_coin_is_told(hosts, tmp_path, capfd):
    with pytest.raises(SystemExit):
        record("--coins", "BTC ETH")
    assert "--coins: 'BTC ETH'; a coin is written in capital letters" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_coin_that_is_not_listed_is_told(hosts, tmp_path, capfd):
    assert record("--coins", "BTC,NOPE") == 1
    (said,) = capfd.readouterr().err.splitlines()
    assert said == "foreshock record: binance lists no NOPE: look at --coins"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--exchange", "mtgox"), "choose from"),
        (("--channels", "candles"), "there are: liquidations, trades"),
        (("--for", "0"), "is no time to run"),
    ],
)
def test_wrong_words_are_told(hosts, capfd, words, said):
    with pytest.raises(SystemExit, match="2"):
        record(*words)
    assert said in capfd.readouterr().err


@contextlib.contextmanager
def host(status, body=b"", **headers):
    """A host that answers everything in this way."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name.replace("_", "-"), text)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)  # a client that hears a refusal may have left

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            """A client that goes is no news, and standard error is what these tests read."""

    with Server(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (451, "where the exchange serves?"),
        (403, "EXCHANGE_REST_URLS"),
        (429, "try again in 7 s"),
        (400, "mend its adapter"),
    ],
)
def test_a_rest_host_that_refuses_is_told_in_one_line(hosts, tmp_path, capfd, status, said):
    with host(status, retry_after="7") as url:
        hosts(rest=url)
        assert record() == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert f"answered {status}" in line
    assert said in line
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_cannot_be_read_is_kept_for_whoever_mends_the_adapter(
    hosts, tmp_path, capfd
):
    with host(200, b'{"symbols":7}') as url:
        hosts(rest=url)
        assert record("--output", "it.zst") == 1
    assert "cannot be read" in capfd.readouterr().err
    assert [body.data for body in bodies(tmp_path / "it.zst")] == [b'{"symbols":7}']


@pytest.mark.parametrize("status", [451, 403])
def test_a_websocket_that_refuses_is_told_in_one_line(hosts, tmp_path, capfd, status):
    with host(status) as url:
        hosts(ws=url)
        assert record() == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert f"binance cannot be listened to (the venue answered {status})" in line
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_told_in_one_line(hosts, tmp_path, capfd):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        hosts(ws=f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert record() == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "is this machine online" in line
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def recording(*words):
    words = [sys.executable, "-m", "foreshock_cli", "record", "--exchange", "binance", *words]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


def so_far(file):
    """Return the frames that are in a file already, be it finished or not."""
    found = []
    try:
        for frame in frames(file):
            found.append(frame)  # noqa: PERF402  what comes before the damage counts
    except (Damaged, FileNotFoundError):
        pass
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_the_file_and_says_what_was_recorded(hosts, tmp_path, number):
    file = tmp_path / "it.zst"
    with recording("--for", "600", "--output", str(file)) as running:
        waited(lambda: so_far(file))
        running.send_signal(number)
        said, complaints = running.communicate(timeout=20)
    assert (running.returncode, complaints) == (0, b"")
    assert b"frames" in said
    assert f"{len(list(frames(file))):,} frames" in said.decode()


def test_a_socket_that_is_lost_is_told_and_opened_again(hosts, tmp_path, simulated):
    def seen(what):
        return [each for each in lines_of(file) if each["t"] == what]

    file = tmp_path / "it.zst"
    words = ("--for", "600", "--channels", "trades", "--output", str(file))
    with recording(*words) as running:
        waited(lambda: so_far(file))
        httpx.post(f"{simulated}/_sim/fault", json={"kind": "disconnect"}).raise_for_status()
        waited(lambda: len(seen("connect")) == 2)
        running.send_signal(signal.SIGINT)
        _, complaints = running.communicate(timeout=20)
    (lost,) = seen("disconnect")
    (said,) = complaints.decode().splitlines()
    assert said == f"foreshock record: binance.ws.1 is down ({lost['reason']})"


def test_a_crash_loses_no_more_than_the_last_seconds(hosts, tmp_path):
    file = tmp_path / "it.zst"
    with recording("--for", "600", "--output", str(file)) as running:
        waited(lambda: len(so_far(file)) > 20)
        running.kill()
    with pytest.raises(Damaged, match="the end is missing"):
        list(frames(file))
    assert len(so_far(file)) > 20


def test_microseconds_and_bytes_that_are_no_text_survive(tmp_path):
    raw = gzip.compress(b"{}")
    with Tape(tmp_path / "it.zst", "binance") as tape:
        recv_ns = [tape.frame("x", each) for each in (raw, "☃".encode())]
    found = list(frames(tmp_path / "it.zst"))
    assert [frame.data for frame in found] == [raw, "☃".encode()]
    assert [frame.recv_ns for frame in found] == [ns // 1_000 * 1_000 for ns in recv_ns]


class Paged:
    """Asked for contracts or tickers, an exchange that has `last` pages of one each."""

    name = "paged"

    def __init__(self, last):
        self.last = last
        self.learned = []
        self.rest = self

    def instruments(self):
        return Request(path="/0")

    tickers = instruments

    def next_page(self, request, body):
        return Request(path=f"/{int(body) + 1}") if int(body) < self.last else None

    def read_instruments(self, body, _):
        return [sample(Instrument, symbol=f"C{int(body)}", status="trading")]

    def read_tickers(self, body, _):
        row = Ticker(
            symbol="",
            coin=f"C{int(body)}",
            last_price=1.0,
            volume_24h_usd=float(body),
            change_24h_pct=0.0,
            ts_event_ms=0,
        )
        return [row]

    def learn(self, found):
        self.learned += found

    async def get(self, path, *_):
        return path[1:].encode()


async def test_every_page_counts_for_the_most_traded_and_there_are_not_endless_ones(tmp_path):
    def capture(last):
        exchange = Paged(last)
        return exchange, Capture(exchange, tape, None, print)

    with Tape(tmp_path / "it.zst", "paged") as tape:
        exchange, capturing = capture(last=2)
        assert await capturing.most_traded(exchange, "", 2) == ["C2", "C1"]
        assert len(await capturing.contracts(exchange, "")) == len(exchange.learned) == 3
        exchange, capturing = capture(last=10_000)
        with pytest.raises(CannotRecord, match="over 100 pages"):
            await capturing.most_traded(exchange, "", 2)
        with pytest.raises(CannotRecord, match="over 100 pages"):
            await capturing.contracts(exchange, "")
        assert not exchange.learned


def test_a_full_disk_is_told(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Tape(tmp_path / "it.zst", "binance") as tape:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            with pytest.raises(CannotWrite, match="large"):
                tape.flush()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
