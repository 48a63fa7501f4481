"""A client whose stop does not come to its end leaves no connection to anybody."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from foreshock_kit.admin import ensure_topics
from foreshock_kit.kafka.connection import client_options, start_client, stop_client
from foreshock_kit.testing.broker import private
from foreshock_schemas.topics import SUBSCRIPTIONS

pytestmark = pytest.mark.broker


class Slow:
    """Its `stop` never ends; what it has opened is the other's."""

    async def stop(self):
        await asyncio.Event().wait()


class SlowConsumer(Slow, AIOKafkaConsumer):
    @property
    def inner(self):
        return self._client


class SlowProducer(Slow, AIOKafkaProducer):
    @property
    def inner(self):
        return self.client


@pytest.fixture(params=[SlowConsumer, SlowProducer])
async def client(request, kafka):
    topic = private(SUBSCRIPTIONS)
    await ensure_topics(kafka, [topic])
    made = await start_client(kafka, lambda: request.param(**client_options(kafka)))
    await made.inner.fetch_all_metadata()
    assert _open(made)
    yield made
    await super(Slow, made).stop()


def _open(client):
    return [each for each in client.inner._conns.values() if each.connected()]


async def test_abandoned_after_its_time_it_has_no_connection_and_makes_no_other(client):
    (broker,) = client.inner.cluster.brokers()
    await stop_client(client, 0.01)
    assert not _open(client)
    assert not await client.inner.ready(broker.nodeId)


async def test_cancelled_it_has_none_either(client):
    stopping = asyncio.create_task(stop_client(client))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert not _open(client)
