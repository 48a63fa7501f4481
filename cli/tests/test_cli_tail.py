"""`foreshock tail` of dead letters, and before a broker that goes away and comes back."""

import argparse
import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from foreshock_cli import tail
from foreshock_kit.admin import ensure_topics
from foreshock_kit.broker import embedded_broker
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher, Record
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually
from foreshock_schemas.events import Subscription
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import SUBSCRIPTIONS

pytestmark = pytest.mark.broker

STRANGE = "zu früh 🚨\n\x1b[2J\x9b"
SHOWN = r"zu früh 🚨\n\x1b[2J\x9b"


async def test_it_says_so_and_goes_on_when_the_broker_is_back(
    tmp_path, capsys, monkeypatch, unused_tcp_port
):
    monkeypatch.setattr(tail, "_LOOK_EVERY_S", 0.05)
    settings = KafkaSettings(kafka_bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")
    arguments = argparse.Namespace(topic="subscriptions", json=True, beginning=True)
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


@pytest.mark.parametrize("name", ["subscriptions.dlq", "foreshock.subscriptions.v1.dlq"])
def test_dead_letters_have_names_like_their_topics(name):
    assert tail.find(name) is SUBSCRIPTIONS


async def test_dead_letters_say_why_and_where(tmp_path, capsys):
    printed = []

    def shown():
        out = capsys.readouterr().out.splitlines()
        printed.extend(line for line in out if "offset=" in line)
        return len(printed) == 3

    async with embedded_broker(tmp_path) as kafka:
        settings = KafkaSettings(kafka_bootstrap_servers=kafka)
        await ensure_topics(settings, [SUBSCRIPTIONS])
        where = {"topic": SUBSCRIPTIONS.name, "partition": "0", "offset": "7", "error": "no Avro"}
        async with Publisher(settings, "alert-router", SystemClock()) as publisher:
            await publisher.dead_letter(SUBSCRIPTIONS, b"\x00" * 100, b"42", where)
            await publisher.dead_letter(SUBSCRIPTIONS, None, None, {})
        async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
            await producer.send_and_wait(
                SUBSCRIPTIONS.dead_letters,
                b"x",
                headers=[("service", b"theirs"), ("topic", None), ("error", STRANGE.encode())],
            )
        arguments = argparse.Namespace(topic="subscriptions.dlq", json=False, beginning=True)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            tailing = group.create_task(tail._tail(SUBSCRIPTIONS, settings, arguments, print))
            await eventually(shown)
            tailing.cancel()
    value = r"\x00" * 64
    assert printed[0].endswith(
        f" alert-router: no Avro topic={SUBSCRIPTIONS.name} partition=0 offset=7 key=b'42' "
        f"value=b'{value}' and 36 bytes more"
    )
    assert printed[1].endswith(" alert-router:  topic= partition= offset= key=b'' value=b''")
    assert printed[2].endswith(f" theirs: {SHOWN} topic= partition= offset= key=b'' value=b'x'")


def test_what_an_event_says_is_one_line_that_no_terminal_obeys():
    event = sample(Subscription, event_id=STRANGE)
    shown = tail.line(Record(SUBSCRIPTIONS, 0, 0, event))
    assert f" event_id={SHOWN} " in f"{shown} "
