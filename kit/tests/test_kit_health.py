"""Health over a real socket: alive, ready or why not, and metrics."""

import socket

import httpx
import pytest

from foreshock_kit.errors import PortInUse
from foreshock_kit.health import Health
from foreshock_kit.http_server import Response, holder_of, serve
from foreshock_kit.metrics import COUNTS_ELSEWHERE


@pytest.fixture
async def health():
    made = Health()
    async with (
        serve("127.0.0.1", 0, made.routes()) as server,
        httpx.AsyncClient(base_url=server.url, timeout=5) as client,
    ):
        yield made, client


async def test_a_service_is_ready_when_all_its_parts_are(health):
    parts, client = health
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, {"service": "starting"})
    parts.set("kafka", ok=False, why="rebalancing")
    parts.set("universe", ok=False)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "missing": {"kafka": "rebalancing", "universe": "not ready"},
    }
    parts.set("kafka", ok=True)
    parts.set("universe", ok=True)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": {}})


async def test_being_alive_hangs_on_nobody_else(health):
    parts, client = health
    parts.set("kafka", ok=False, why="gone")
    assert (await client.get("/livez")).json() == {"live": True}


async def test_metrics_are_for_prometheus(health):
    _, client = health
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "foreshock_process_loop_lag_seconds" in answer.text
    assert "_created" not in answer.text


async def test_counts_kept_elsewhere_have_each_name_once(health):
    _, client = health
    for exchange in ("one", "two"):
        COUNTS_ELSEWHERE.add(
            "foreshock_test",
            lambda: [("frames", "", 3), ("ignored", "ack", 1), ("ignored", "snapshot", 2)],
            exchange=exchange,
        )
    text = (await client.get("/metrics")).text
    assert text.count("# TYPE foreshock_test_ignored_total counter") == 1
    assert 'foreshock_test_ignored_total{exchange="two",reason="snapshot"} 2.0' in text
    assert 'foreshock_test_frames_total{exchange="one",reason=""} 3.0' in text


async def test_what_is_not_there_is_said_to_be_so(health):
    _, client = health
    answer = await client.get("/nothing?x=1")
    assert (answer.status_code, answer.json()) == (404, {"error": "nothing at /nothing"})


async def test_a_query_reaches_the_route():
    def echo(path, query):
        return Response(200, "text/plain", f"{path} {dict(query)}".encode())

    async with serve("127.0.0.1", 0, {"/echo": echo}) as server, httpx.AsyncClient() as client:
        answer = await client.get(f"{server.url}/echo", params={"a": "b c"})
    assert answer.text == "/echo {'a': 'b c'}"


async def test_a_taken_port_is_named_with_who_has_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"port {port} is in use by .*\(pid \d+\)"):
            async with serve("127.0.0.1", port, {}):
                pass
    assert holder_of(port) is None
