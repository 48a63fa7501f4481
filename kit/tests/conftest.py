"""One broker for all tests of this member."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from foreshock_kit.settings import ServiceSettings
from foreshock_kit.testing.broker import broker


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bootstrap() -> AsyncIterator[str]:
    async with broker() as address:
        yield address


@pytest.fixture
def kafka(bootstrap: str) -> ServiceSettings:
    return ServiceSettings(kafka_bootstrap_servers=bootstrap)
