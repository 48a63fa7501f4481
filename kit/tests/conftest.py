"""One broker for all tests of this member."""

import socket
from collections.abc import AsyncIterator, Iterator

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


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port of ours that nobody listens on, because we hold it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
