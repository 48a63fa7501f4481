"""What is on a topic, for tests that look at what a service has written."""

import asyncio

from foreshock_kit.kafka import Record, follow
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import Topic


async def records_on(bootstrap: str, topic: Topic) -> list[Record]:
    """Return all that can be read of a topic now; each partition in the log's order."""
    settings = KafkaSettings(kafka_bootstrap_servers=bootstrap)
    context, caught_up, found = Context("test"), asyncio.Event(), list[Record]()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(
            follow(
                settings,
                context,
                [topic],
                found.append,
                since_ms={topic.name: None},
                caught_up=caught_up,
            )
        )
        await caught_up.wait()
        context.stop.set()
    return found
