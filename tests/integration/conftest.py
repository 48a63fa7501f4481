"""One broker, with all topics, for the tests that join a service to what is around it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from foreshock_kit.admin import ensure_topics
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.broker import broker


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bootstrap() -> AsyncIterator[str]:
    async with broker() as address:
        await ensure_topics(KafkaSettings(kafka_bootstrap_servers=address))
        yield address
