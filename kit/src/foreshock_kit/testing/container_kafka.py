"""Apache Kafka in a container, for tests where a Docker API answers.

`KAFKA_TEST_IMAGE` names another image than Apache's; it takes its properties from the
environment as Apache's does. `KAFKA_TEST_NETWORK=host` runs it on the host's network, for
engines that cannot publish ports.
"""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Final

import docker
from docker.errors import DockerException
from requests import RequestException
from testcontainers.core.container import DockerContainer

from foreshock_kit.errors import Permanent
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.node import HOST, VERSION, free_ports, properties_of, until_it_serves

_ASK_S: Final = 2
_OLDEST_API: Final = "1.41"
_DATA: Final = "/tmp/kafka"  # noqa: S108  the container's own


@functools.cache
def docker_answers() -> bool:
    """Return whether a Docker API answers where `DOCKER_HOST`, or its default, says."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).is_socket():
        return False
    with (
        suppress(DockerException, RequestException),
        closing(docker.from_env(version=_OLDEST_API, timeout=_ASK_S)) as client,
    ):
        return bool(client.ping())
    return False


class ContainerKafka:
    """One node in a container of its own."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        port, controller_port = free_ports(2)
        self.settings = KafkaSettings(kafka_bootstrap_servers=f"{HOST}:{port}")
        on_host = os.environ.get("KAFKA_TEST_NETWORK") == "host"
        told = properties_of(port, controller_port, _DATA, listen_on=HOST if on_host else "0.0.0.0")  # noqa: S104
        self._container = DockerContainer(
            os.environ.get("KAFKA_TEST_IMAGE", f"apache/kafka:{VERSION}"),
            **({"network_mode": "host"} if on_host else {"ports": {port: (HOST, port)}}),
        )
        self._made = False
        for name, value in {**told, **properties}.items():
            self._container.with_env(_as_variable(name), value)

    async def start(self) -> None:
        """Start it, again on the same port with what it had; return when it serves.

        Raises:
            Permanent: the engine refuses, or the container ended; with its own words.
            Transient: it does not serve within a minute.
        """
        again = self._container.get_wrapped_container().start if self._made else None
        try:
            await asyncio.to_thread(again or self._container.start)
        except DockerException as error:
            raise Permanent(f"the Docker engine does not start Kafka: {error}") from error
        self._made = True
        await until_it_serves(self.settings, self._ended)

    async def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        await asyncio.to_thread(self._container.get_wrapped_container().kill)

    async def remove(self) -> None:
        """End it for good."""
        await asyncio.to_thread(self._container.stop)

    def _ended(self) -> str | None:
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status == "running":
            return None
        return str(container.logs(tail=20).decode(errors="replace"))


def _as_variable(name: str) -> str:
    """Return how Apache's image wants a property named in the environment."""
    escaped = name.replace("_", "__").replace("-", "___").replace(".", "_")
    return f"KAFKA_{escaped.upper()}"


@asynccontextmanager
async def container_kafka(properties: Mapping[str, str]) -> AsyncIterator[ContainerKafka]:
    """Run a fresh broker in a container that is removed at the end.

    Raises:
        Permanent: the engine refuses, or the container ended; with its own words.
        Transient: it does not serve within a minute.
    """
    broker = ContainerKafka(properties)
    try:
        await broker.start()
        yield broker
    finally:
        await broker.remove()
