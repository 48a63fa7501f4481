"""A broker for tests: the one that the environment names, or the embedded one."""

import os
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from foreshock_kit.broker import embedded_broker
from foreshock_schemas.topics import Topic


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """Yield a bootstrap address: KAFKA_BOOTSTRAP_SERVERS if set, else a broker started here."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="foreshock-") as folder:
        async with embedded_broker(Path(folder)) as address:
            yield address


def private(topic: Topic) -> Topic:
    """Return a topic like this one under a name that no other test uses."""
    return msgspec.structs.replace(topic, name=f"{topic.name}.{uuid.uuid4().hex}")
