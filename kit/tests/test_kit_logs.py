"""Logs: facts as JSON or for a reader, never a token, and a burst once."""

import io
import json
import logging

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from foreshock_kit import logs
from foreshock_kit.testing import FakeClock

TOKEN = "7123456789:AAHfakefakefakefakefakefakefakefake_-x"


@pytest.fixture
def stream():
    root = logging.getLogger()
    handlers, level, config = root.handlers, root.level, structlog.get_config()
    yield io.StringIO()
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**config)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@given(st.text(), st.text())
def test_a_token_is_taken_out_of_any_text(before, after):
    assert TOKEN not in logs.redact(f"{before}{TOKEN} {after}")
    assert TOKEN[11:] not in logs.redact(f"/bot{TOKEN.replace(':', '%3A')}/getMe")
    assert logs.redact("12:30:05 and 100:1") == "12:30:05 and 100:1"


def test_a_fact_with_values_is_a_json_line(stream):
    logs.configure("oi-poller", "INFO", "json", stream)
    logs.get_logger("here").info("feed_up", feed="binance", number=3)
    (line,) = lines(stream)
    assert (line["event"], line["feed"], line["number"]) == ("feed_up", "binance", 3)
    assert (line["service"], line["level"], line["logger"]) == ("oi-poller", "info", "here")
    assert line["timestamp"].endswith("Z")


def test_the_level_holds_and_libraries_are_heard_too(stream):
    logs.configure("x", "WARNING", "json", stream)
    logs.get_logger("here").info("quiet")
    logging.getLogger("somebody.else").warning("heard %s", "you")
    assert [line["event"] for line in lines(stream)] == ["heard you"]


def test_a_reader_gets_text(stream):
    logs.configure("x", "INFO", "text", stream)
    logs.get_logger("here").info("feed_up", feed="binance")
    assert "feed=binance" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_auto_is_json_where_nobody_looks(stream):
    logs.configure("x", "INFO", "auto", stream)
    logs.get_logger("here").info("feed_up")
    assert lines(stream)


class BotLike:
    def __repr__(self):
        return f"ExtBot[token={TOKEN}]"


@pytest.mark.parametrize("style", ["json", "text"])
def test_the_token_leaks_in_none_of_its_three_ways(stream, style):
    logs.configure("telegram-gateway", "INFO", style, stream)
    url = httpx.URL(f"https://api.telegram.org/bot{TOKEN}/sendMessage")
    logging.getLogger("httpx").info("HTTP Request: POST %s", url)
    logging.getLogger("somebody").warning("POST %s", url)
    logs.get_logger("here").warning("bot", bot=BotLike(), text=f"{BotLike()!r}")
    rejected = ValueError(f"The token `{TOKEN}` was rejected by the server.")
    logs.get_logger("here").error("start_failed", exc_info=rejected)
    logging.getLogger("somebody").error("start failed", exc_info=rejected)
    said = stream.getvalue()
    assert TOKEN not in said
    assert said.count("***") >= 4
    assert "HTTP Request" not in said


class Collector:
    def __init__(self):
        self.said = []

    def warning(self, event, **fields):
        self.said.append((event, fields))


def test_a_burst_is_told_once_with_its_first_200_bytes_and_then_counted():
    collector, clock = Collector(), FakeClock()
    burst = logs.Burst(collector, "malformed_frame", clock=clock, exchange="binance")
    for _ in range(5):
        burst("no JSON", b"x" * 500)
    clock.advance(60)
    burst("no JSON", b"\xff\xfe")
    (first, second) = collector.said
    assert first[0] == "malformed_frame"
    assert first[1]["frame"] == "x" * 200
    assert (first[1]["reason"], first[1]["exchange"]) == ("no JSON", "binance")
    assert (first[1]["more_since_last"], second[1]["more_since_last"]) == (0, 4)
