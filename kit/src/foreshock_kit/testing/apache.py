"""Apache Kafka for tests and benchmarks: one node that may be killed and started again."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.container_kafka import container_kafka, docker_answers
from foreshock_kit.testing.jvm_kafka import jvm_kafka


class ApacheKafka(Protocol):
    """A broker, wherever it runs."""

    settings: KafkaSettings

    async def start(self) -> None:
        """Start it, again on the same port with what it had; return when it serves."""
        ...

    async def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        ...


@asynccontextmanager
async def apache_kafka(properties: Mapping[str, str] | None = None) -> AsyncIterator[ApacheKafka]:
    """Run a fresh broker on loopback: in a container where a Docker API answers, else on the JVM.

    Args:
        properties: The broker's own, over those that a small test broker needs.

    Raises:
        Permanent: there is neither Docker nor a JVM with Maven, or the broker cannot run; it
            says what to do.
        Transient: it does not serve within a minute.
    """
    run = container_kafka if docker_answers() else jvm_kafka
    async with run(properties or {}) as broker:
        yield broker


def where() -> str:
    """Say where `apache_kafka` would run it."""
    return "in a container" if docker_answers() else "on the local JVM"
