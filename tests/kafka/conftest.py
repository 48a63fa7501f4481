"""An Apache Kafka that these tests may kill."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from foreshock_kit.settings import ServiceSettings
from foreshock_kit.testing.apache import ApacheKafka, apache_kafka


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def apache() -> AsyncIterator[ApacheKafka]:
    async with apache_kafka() as broker:
        yield broker


@pytest.fixture
def kafka(apache: ApacheKafka) -> ServiceSettings:
    return ServiceSettings(kafka_bootstrap_servers=apache.settings.kafka_bootstrap_servers)
