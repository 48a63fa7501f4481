"""The whole stack as `foreshock up` starts it, looked at from outside."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import websockets

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Record
from foreshock_kit.testing import eventually, records_on
from foreshock_schemas.topics import ALERTS, DELIVERIES, LIQUIDATIONS, SIGNALS, Topic

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

CLOCK = SystemClock()
FIRST_ALERT_S = 60
MINE = ("KAFKA_", "TELEGRAM_", "EXCHANGE", "ENABLE_", "COINS", "LOG_")


class Stack:
    """A running `foreshock up`, and what it says of itself."""

    def __init__(self, root: Path, process: asyncio.subprocess.Process) -> None:
        self.root = root
        self.process = process
        self.http = httpx.AsyncClient(timeout=5)

    @property
    def endpoints(self) -> dict:
        return json.loads((self.root / "var/run/endpoints.json").read_text())

    @property
    def market(self) -> str:
        return json.loads((self.root / "var/run/market.json").read_text())["binance"]

    async def inbox(self) -> list[dict]:
        ends = self.endpoints
        url = f"{ends['bot_api']}/inbox"
        return (await self.http.get(url, params={"chat_id": ends["chat_id"]})).json()

    async def records(self, topic: Topic) -> list[Record]:
        return await records_on(self.endpoints["kafka"], topic)


def outside() -> dict[str, str]:
    """Return the environment without what would tell Foreshock to be somebody else's."""
    return {name: text for name, text in os.environ.items() if not name.startswith(MINE)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory) -> AsyncIterator[Stack]:
    root = tmp_path_factory.mktemp("stack")
    env = outside()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "foreshock_cli", "up", cwd=root, env=env, start_new_session=True
    )
    made = Stack(root, process)
    try:
        file = root / "var/run/endpoints.json"
        await eventually(lambda: file.exists() or process.returncode is not None, 60)
        async with made.http:
            yield made
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(20):
                await process.wait()


async def test_a_message_can_be_followed_back_to_the_exchanges_frame(stack):
    adapter = load("binance")
    (feed,) = adapter.feeds(
        Channel.LIQUIDATIONS, ["BTCUSDT"], stack.market.replace("http", "ws", 1)
    )
    seen: dict[str, str] = {}
    async with websockets.connect(feed.url) as socket, asyncio.TaskGroup() as group:
        for word in feed.hello:
            await socket.send(word)
        reader = group.create_task(_note_ids(socket, adapter, seen))

        async def told() -> list[dict]:
            return [m for m in await stack.inbox() if "Large liquidation" in m["text"]]

        await eventually(told, FIRST_ALERT_S)
        reader.cancel()
    message = (await told())[0]

    sent = next(
        record.event
        for record in await stack.records(DELIVERIES)
        if record.event.state == "SENT" and record.event.message_id == message["message_id"]
    )
    (alert,) = [
        record.event
        for record in await stack.records(ALERTS)
        if record.event.event_id == sent.alert_id
    ]
    (signalled,) = [
        record.event
        for record in await stack.records(SIGNALS)
        if record.event.event_id in alert.signal_ids
    ]
    (evidence,) = signalled.evidence
    (liquidation,) = [
        record.event
        for record in await stack.records(LIQUIDATIONS)
        if (record.topic.name, record.partition, record.offset)
        == (evidence.topic, evidence.partition, evidence.offset)
    ]

    assert liquidation.event_id == evidence.event_id
    assert liquidation.event_id in seen, "no frame of the exchange gave this event"
    assert liquidation.notional_usd == signalled.value >= signalled.limit
    assert alert.ts_recv_ms == signalled.ts_recv_ms == liquidation.ts_recv_ms
    assert sent.latency_ms < 3_000
    assert alert.coin in message["text"]


async def _note_ids(socket, adapter, seen: dict[str, str]) -> None:
    async for frame in socket:
        raw = frame.encode() if isinstance(frame, str) else frame
        parsed = adapter.parse(raw, CLOCK.now_ms())
        for event in parsed if isinstance(parsed, list) else ():
            if event_id := getattr(event, "event_id", None):
                seen[event_id] = frame


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["topics"], "the broker has them all, as in the table"),
        (["doctor"], "broker and topics"),
        (["tail", "bars", "--json", "--beginning"], '"event_id":"binance:'),
    ],
)
async def test_commands_find_the_running_stack(stack, words, said):
    command = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "foreshock_cli",
        *words,
        cwd=stack.root,
        env=outside(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        line = ""
        while said not in line:
            raw = await command.stdout.readline()
            assert raw, (await command.stderr.read()).decode()
            line = raw.decode()
        if words[0] == "tail":
            command.send_signal(signal.SIGINT)
        await command.communicate()
    assert command.returncode == 0


@pytest.mark.parametrize("name", ["ingest-liquidations", "alert-router", "telegram-gateway"])
async def test_a_killed_service_is_back_within_ten_seconds(stack, name):
    before = stack.endpoints["services"][name]["pid"]
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        now = stack.endpoints["services"][name]
        if now["pid"] == before:
            return False
        return (await stack.http.get(f"{now['health']}/readyz")).is_success

    await eventually(back, 10)


async def test_ctrl_c_ends_everything(stack):
    pids = [each["pid"] for each in stack.endpoints["services"].values()]
    stack.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(5):
        assert await stack.process.wait() == 0
    assert not (stack.root / "var/run/endpoints.json").exists()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
