"""Apache Kafka on the local JVM, by its own jars from Maven."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from foreshock_kit.errors import Permanent, PortInUse
from foreshock_kit.processes import spawn
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.maven import check_java, jars
from foreshock_kit.testing.node import HOST, VERSION, free_ports, properties_of, until_it_serves

_LOG4J: Final = "org.apache.logging.log4j:{}:2.25.1"
ARTIFACTS: Final = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    _LOG4J.format("log4j-core"),
    _LOG4J.format("log4j-slf4j-impl"),
)
"""What Maven has to bring for a broker to run."""

_CLUSTER_ID: Final = "foreshock-test-cluster"
_FORMAT_S: Final = 60.0


class JvmKafka:
    """One node as a process of ours."""

    def __init__(self, jars: Path, folder: Path, port: int, properties: Mapping[str, str]) -> None:
        own, controller = free_ports(2)
        self._port = port or own
        self.settings = KafkaSettings(kafka_bootstrap_servers=f"{HOST}:{self._port}")
        self._jars = jars
        self._log = folder / "kafka.log"
        self._config = folder / "server.properties"
        told = {**properties_of(self._port, controller, str(folder / "data")), **properties}
        self._config.write_text("".join(f"{name}={value}\n" for name, value in told.items()))
        self._process: asyncio.subprocess.Process | None = None

    async def format(self) -> None:
        """Make the folder that the broker starts with.

        Raises:
            Permanent: the JVM cannot run this; with its own words.
        """
        words = ("format", "-t", _CLUSTER_ID, "-c", str(self._config))
        process = await self._java("kafka.tools.StorageTool", *words)
        async with asyncio.timeout(_FORMAT_S):
            if await process.wait():
                raise Permanent(f"Apache Kafka cannot be set up: {self._said()}")

    async def start(self) -> None:
        """Start it, again on the same port with what it had; return when it serves.

        Raises:
            PortInUse: somebody else listens on its port.
            Permanent: it ended; with its own words.
            Transient: it does not serve within a minute.
        """
        self._process = await self._java("kafka.Kafka", str(self._config))
        try:
            await until_it_serves(self.settings, self._ended)
        except Permanent:
            if "Address already in use" in self._log.read_text(errors="replace"):
                raise PortInUse(self._port) from None
            raise

    async def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _java(self, program: str, *words: str) -> asyncio.subprocess.Process:
        heap = ("-Xmx384m", "-XX:+UseSerialGC")
        classpath = f"{self._jars}/*"
        return await spawn("java", *heap, "-cp", classpath, program, *words, log=self._log)

    def _said(self) -> str:
        return self._log.read_text(errors="replace").strip()[-1_000:]

    def _ended(self) -> str | None:
        alive = self._process is not None and self._process.returncode is None
        return None if alive else self._said()


@asynccontextmanager
async def jvm_kafka(properties: Mapping[str, str], port: int = 0) -> AsyncIterator[JvmKafka]:
    """Run a fresh broker on the local JVM, in a folder that is removed at the end.

    Args:
        properties: The broker's own, over those that a small test broker needs.
        port: Where to listen on loopback; 0 for any that is free.

    Raises:
        PortInUse: somebody else listens on `port`.
        Permanent: there is no JVM or Maven, or the broker cannot run; it says what to do.
        Transient: it does not serve within a minute.
    """
    check_java("Apache Kafka, where no Docker API answers,")
    brought = await jars(f"kafka-{VERSION}", ARTIFACTS)
    with tempfile.TemporaryDirectory(prefix="foreshock-kafka-") as folder:
        broker = JvmKafka(brought, Path(folder), port, properties)
        await broker.format()
        try:
            await broker.start()
            yield broker
        finally:
            await broker.kill()
