"""A broker for tests: the one that the environment names, Apache Kafka, or the embedded one."""

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
    """Yield a bootstrap address.

    KAFKA_BOOTSTRAP_SERVERS if set; else a broker started here: Apache Kafka if TEST_BROKER is
    "apache", or the embedded one.
    """
    if given := _given():
        yield given
    elif _on_apache():
        # Services have none of its libraries
        from foreshock_kit.testing.apache import apache_kafka

        async with apache_kafka() as node:
            yield node.settings.kafka_bootstrap_servers
    else:
        with tempfile.TemporaryDirectory(prefix="foreshock-") as folder:
            async with embedded_broker(Path(folder)) as address:
                yield address


def which() -> str:
    """Say which broker tests run on."""
    if given := _given():
        return given
    if not _on_apache():
        return "embedded"
    from foreshock_kit.testing.apache import where

    return f"Apache Kafka {where()}"


def _given() -> str | None:
    return os.environ.get("KAFKA_BOOTSTRAP_SERVERS")


def _on_apache() -> bool:
    return os.environ.get("TEST_BROKER") == "apache"


def private(topic: Topic) -> Topic:
    """Return a topic like this one under a name that no other test uses."""
    return msgspec.structs.replace(topic, name=f"{topic.name}.{uuid.uuid4().hex}")
