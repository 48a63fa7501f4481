"""What the broker says about itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from foreshock_kit.kafka.connection import client_options, knock
from foreshock_kit.settings import KafkaSettings


@asynccontextmanager
async def admin_client(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Hold a connection for questions and orders; the caller bounds the time.

    Raises:
        Transient: no broker takes us; it says why.
    """
    await knock(settings)
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def partition_counts(settings: KafkaSettings) -> dict[str, int]:
    """Return every topic's number of partitions.

    Asks for all topics, because asking for one by name would create it on some brokers.
    """
    async with admin_client(settings) as admin:
        topics = await admin.describe_topics()
        return {topic["topic"]: len(topic["partitions"]) for topic in topics}
