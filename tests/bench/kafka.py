"""A real broker for benchmarks, and topics filled with events."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.apache import apache_kafka
from foreshock_schemas.events import Event
from foreshock_schemas.topics import Topic

CLOCK = SystemClock()


@asynccontextmanager
async def kafka() -> AsyncIterator[KafkaSettings]:
    """Run Apache Kafka with all topics while the block runs."""
    async with apache_kafka() as broker:
        await ensure_topics(broker.settings)
        yield broker.settings


async def fill(settings: KafkaSettings, topic: Topic, events: Iterable[Event]) -> None:
    """Write events, all acknowledged when this returns."""
    async with Publisher(settings, "bench", CLOCK) as publisher:
        for number, event in enumerate(events):
            await publisher.publish(topic, event)
            if number % 1_000 == 0:
                await asyncio.sleep(0)


@asynccontextmanager
async def filled(topic: Topic, events: Iterable[Event]) -> AsyncIterator[KafkaSettings]:
    """Run a fresh broker that holds these events: a group starts at their beginning."""
    async with kafka() as broker:
        await fill(broker, topic, events)
        yield broker
