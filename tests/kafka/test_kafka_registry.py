"""Schema ids from a real registry, read and written by the stock clients that others use."""

import asyncio

import httpx
import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.settings import ServiceSettings
from foreshock_kit.testing import eventually
from foreshock_kit.testing.apicurio import apicurio
from foreshock_kit.testing.broker import private
from foreshock_kit.testing.member import Member
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import Signal, Trade
from foreshock_schemas.registry import newest
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import SIGNALS, TRADES

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]

CLOCK = SystemClock()
SUBJECT = f"{TRADES.name}-value"
STRANGE = {"type": "record", "name": "Strange", "fields": [{"name": "n", "type": "int"}]}


def event(kind):
    return sample(kind, ts_recv_ms=CLOCK.now_ms())


def plain(event):
    return msgspec.json.decode(msgspec.json.encode(event))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def registry():
    """A registry that has given away ids before ours, so that ours are not the file's."""
    async with apicurio() as url:
        for number in range(3):
            schema = {**STRANGE, "name": f"Strange{number}"}
            await register(url, f"strange-{number}", schema)
        yield url


async def register(url, subject, schema) -> None:
    body = {"schema": msgspec.json.encode(schema).decode()}
    async with httpx.AsyncClient(base_url=url, timeout=10) as http:
        (await http.post(f"/subjects/{subject}/versions", json=body)).raise_for_status()


@pytest.fixture
def told(kafka: ServiceSettings, registry: str) -> ServiceSettings:
    return msgspec.structs.replace(kafka, schema_registry_url=registry)


@pytest.mark.parametrize(("topic", "kind"), [(TRADES, Trade), (SIGNALS, Signal)])
async def test_a_stock_deserializer_reads_what_we_publish(kafka, told, registry, topic, kind):
    file_id = newest()[f"{topic.name}-value"].id
    topic = private(topic)
    await ensure_topics(kafka, [topic])
    published = event(kind)
    async with Publisher(told, "test", CLOCK) as publisher:
        await publisher.send(topic, published)
    consumer = AIOKafkaConsumer(
        topic.name,
        bootstrap_servers=kafka.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    async with asyncio.timeout(20), consumer:
        value = (await consumer.getone()).value
    with SchemaRegistryClient({"url": registry}) as client:
        where = SerializationContext(topic.name, MessageField.VALUE)
        row = await asyncio.to_thread(AvroDeserializer(client), value, where)
    assert row == plain(published)
    assert int.from_bytes(value[1:5]) != file_id


async def test_we_read_what_a_stock_serializer_writes(kafka, told, registry):
    topic, written = private(TRADES), event(Trade)
    await ensure_topics(kafka, [topic])
    async with Publisher(told, "test", CLOCK):
        pass
    latest = {"auto.register.schemas": False, "use.latest.version": True}
    with SchemaRegistryClient({"url": registry}) as client:
        serialize = AvroSerializer(client, conf=latest)
        where = SerializationContext(TRADES.name, MessageField.VALUE)
        value = await asyncio.to_thread(serialize, plain(written), where)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.kafka_bootstrap_servers)
    async with asyncio.timeout(20), producer:
        await producer.send_and_wait(topic.name, value, key=written.coin.encode())
    async with Member(told, [topic]).running() as member:
        await member.until(1)
    assert [record.event for record in member.records] == [written]


async def test_a_subject_takes_only_what_all_its_versions_can_read(told, registry):
    async with Publisher(told, "test", CLOCK):
        pass
    without_a_field = msgspec.json.decode(newest()[SUBJECT].text)
    without_a_field["fields"] = without_a_field["fields"][1:]
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        await register(registry, SUBJECT, without_a_field)


async def test_a_schema_that_does_not_go_together_stops_the_service(kafka, tmp_path):
    async with apicurio() as url:
        await register(url, SUBJECT, STRANGE)
        async with httpx.AsyncClient(base_url=url, timeout=10) as http:
            rule = {"compatibility": "FULL_TRANSITIVE"}
            (await http.put(f"/config/{SUBJECT}", json=rule)).raise_for_status()
        env = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.kafka_bootstrap_servers,
            "SCHEMA_REGISTRY_URL": url,
        }
        async with ServiceProcess("threshold_service", tmp_path, env) as service:
            assert await service.ended() == 1
    said = service.said()
    assert f"the schema registry refuses trades.avsc as {SUBJECT} (409): " in said
    assert "Traceback" not in said


async def test_a_registry_that_is_down_is_told_and_waited_for(kafka, tmp_path):
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.kafka_bootstrap_servers,
        "SCHEMA_REGISTRY_URL": "http://127.0.0.1:1",
    }
    async with ServiceProcess("threshold_service", tmp_path, env) as service:
        await eventually(lambda: service.said().count("registry_not_ready") >= 2, 30)
        ready = await service.answer("/readyz")
    assert ready.status_code == 503
    assert "no schema registry at 127.0.0.1:1: " in service.said()
    assert await service.ended() == 0
