"""`foreshock tail` before a broker that goes away and comes back."""

import argparse
import asyncio

import pytest

from foreshock_cli import tail
from foreshock_kit.admin import ensure_topics
from foreshock_kit.broker import embedded_broker
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually
from foreshock_schemas.events import Subscription
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import SUBSCRIPTIONS

pytestmark = pytest.mark.broker


async def test_it_says_so_and_goes_on_when_the_broker_is_back(
    tmp_path, capsys, monkeypatch, unused_tcp_port
):
    monkeypatch.setattr(tail, "_LOOK_EVERY_S", 0.05)
    settings = KafkaSettings(kafka_bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")
    arguments = argparse.Namespace(json=True, beginning=True)
    said, printed = [], []

    def shows(event_id):
        printed.extend(capsys.readouterr().out.splitlines())
        return any(f'"event_id":"{event_id}"' in line for line in printed)

    async def publish(event_id):
        async with Publisher(settings, "test", SystemClock()) as publisher:
            await publisher.send(SUBSCRIPTIONS, sample(Subscription, event_id=event_id))

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        async with embedded_broker(tmp_path, unused_tcp_port):
            await ensure_topics(settings, [SUBSCRIPTIONS])
            tailing = group.create_task(tail._tail(SUBSCRIPTIONS, settings, arguments, said.append))
            await publish("before")
            await eventually(lambda: shows("before"))
        await eventually(lambda: said)
        assert "no Kafka broker reachable" in said[0]
        assert said[0].endswith("going on when it answers again")
        async with embedded_broker(tmp_path, unused_tcp_port):
            await ensure_topics(settings, [SUBSCRIPTIONS])
            await eventually(lambda: len(said) == 2)
            assert said[1] == "foreshock tail: the broker answers again"
            await publish("where it was, for the embedded broker has forgotten")
            await publish("after")
            await eventually(lambda: shows("after"), 30)
            tailing.cancel()
