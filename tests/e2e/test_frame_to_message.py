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
from aiokafka import AIOKafkaConsumer, TopicPartition

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel
from foreshock_kit.clock import SystemClock
from foreshock_kit.testing import eventually
from foreshock_schemas.codec import decode
from foreshock_schemas.topics import ALERTS, DELIVERIES, SIGNALS

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

    async def events(self, topic: str) -> list:
        """Return all events that are on a topic now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.endpoints["kafka"])
        await consumer.start()
        try:
            await consumer.topics()
            found = consumer.partitions_for_topic(topic)
            partitions = [TopicPartition(topic, number) for number in found]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            values = []
            for where, end in ends.items():
                while await consumer.position(where) < end:
                    for records in (await consumer.getmany(timeout_ms=100)).values():
                        values += [decode(record.value) for record in records]
        finally:
            await consumer.stop()
        return values

    async def event_at(self, topic: str, partition: int, offset: int):
        """Return the one event at an offset."""
        where = TopicPartition(topic, partition)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.endpoints["kafka"])
        await consumer.start()
        try:
            consumer.assign([where])
            consumer.seek(where, offset)
            record = await consumer.getone()
        finally:
            await consumer.stop()
        assert record.offset == offset
        return decode(record.value)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory) -> AsyncIterator[Stack]:
    root = tmp_path_factory.mktemp("stack")
    env = {name: text for name, text in os.environ.items() if not name.startswith(MINE)}
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

    deliveries = await stack.events(DELIVERIES.name)
    (sent,) = [
        d for d in deliveries if d.state == "SENT" and d.message_id == message["message_id"]
    ][:1]
    (alert,) = [a for a in await stack.events(ALERTS.name) if a.event_id == sent.alert_id]
    (signalled,) = [s for s in await stack.events(SIGNALS.name) if s.event_id in alert.signal_ids]
    (evidence,) = signalled.evidence
    liquidation = await stack.event_at(evidence.topic, evidence.partition, evidence.offset)

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
