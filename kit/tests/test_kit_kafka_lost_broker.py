"""A broker that goes away ends the publisher's block in bounded time; nothing hangs."""

import asyncio
import os
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from foreshock_kit.admin import ensure_topics
from foreshock_kit.broker import embedded_broker
from foreshock_kit.clock import SystemClock
from foreshock_kit.errors import Transient
from foreshock_kit.kafka import Publisher, consume
from foreshock_kit.service import Context
from foreshock_kit.settings import ServiceSettings
from foreshock_kit.testing import eventually
from foreshock_schemas.events import Subscription
from foreshock_schemas.topics import SUBSCRIPTIONS

pytestmark = pytest.mark.broker

EVENT = Subscription(
    event_id="s",
    ts_event_ms=1,
    ts_recv_ms=1,
    chat_id=1,
    active=True,
    changed_by="user",
    announced=False,
)

LOSES_ITS_BROKER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_kit_kafka_lost_broker as here

asyncio.run(here.publish_until_lost(Path(sys.argv[1])))
"""


async def publish_for_ever(publisher: Publisher) -> None:
    while True:
        await publisher.publish(SUBSCRIPTIONS, EVENT)
        await asyncio.sleep(0.001)


async def publish_until_lost(folder: Path) -> None:
    async with AsyncExitStack() as broker:
        kafka = ServiceSettings(
            kafka_bootstrap_servers=await broker.enter_async_context(embedded_broker(folder))
        )
        await ensure_topics(kafka, [SUBSCRIPTIONS])
        async with Publisher(kafka, "test", SystemClock(), delivery_s=1.0) as publisher:
            await publisher.send(SUBSCRIPTIONS, EVENT)
            await broker.aclose()
            await publish_for_ever(publisher)


async def test_publishing_ends_with_an_error_soon_after_the_broker_is_gone(tmp_path: Path):
    async with asyncio.timeout(20):
        with pytest.raises(ExceptionGroup) as caught:
            await publish_until_lost(tmp_path)
    assert caught.group_contains(Transient)


def test_the_process_then_ends(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", LOSES_ITS_BROKER, str(tmp_path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=30,
        env=dict(os.environ),
    )
    assert done.returncode == 1
    assert "Transient" in done.stderr


async def send_to_nobody(folder: Path) -> None:
    async with AsyncExitStack() as broker:
        address = await broker.enter_async_context(embedded_broker(folder))
        kafka = ServiceSettings(kafka_bootstrap_servers=address)
        await ensure_topics(kafka, [SUBSCRIPTIONS])
        async with Publisher(kafka, "test", SystemClock(), delivery_s=0.5) as publisher:
            await publisher.send(SUBSCRIPTIONS, EVENT)
            await broker.aclose()
            with pytest.raises(Transient, match=r"longer than 0\.5 s"):
                await publisher.send(SUBSCRIPTIONS, EVENT)


async def test_a_send_raises_in_its_time_and_is_not_forgotten_by_who_catches_it(tmp_path: Path):
    async with asyncio.timeout(20):
        with pytest.raises(ExceptionGroup) as caught:
            await send_to_nobody(tmp_path)
    assert caught.group_contains(Transient)


async def test_a_reader_waits_for_its_broker_says_so_and_stops_when_told(unused_port: int):
    kafka = ServiceSettings(kafka_bootstrap_servers=f"127.0.0.1:{unused_port}")
    context = Context(name="test", clock=SystemClock())
    publisher = Publisher(kafka, "test", SystemClock())

    async def never(_):
        raise AssertionError

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(
            consume(kafka, context, topics=[SUBSCRIPTIONS], on_records=never, publisher=publisher)
        )
        await eventually(lambda: "no Kafka broker reachable" in str(context.health.parts))
        assert not context.health.ready
        context.stop.set()
