"""Kafka by testcontainers: a small image, podman as the Docker engine, and our clients on it.

The image holds this machine's own JVM, C library and busybox and takes its properties from the
environment, as Apache's does, so that nobody else's image has to be had.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import pytest_asyncio

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.settings import ServiceSettings
from foreshock_kit.testing.apache import apache_kafka
from foreshock_kit.testing.container_kafka import ContainerKafka, docker_answers
from foreshock_kit.testing.jvm_kafka import ARTIFACTS
from foreshock_kit.testing.maven import jars
from foreshock_kit.testing.member import Member
from foreshock_kit.testing.node import VERSION
from foreshock_kit.testing.podman import Podman
from foreshock_schemas.events import Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import TRADES

pytestmark = [pytest.mark.containers, pytest.mark.asyncio(loop_scope="module")]

IMAGE = "localhost/foreshock-kafka:test"
CLOCK = SystemClock()
MODULES = (
    "java.base,java.desktop,java.logging,java.management,java.naming,java.rmi,"
    "java.security.jgss,java.security.sasl,java.sql,java.xml,jdk.crypto.ec,jdk.management,"
    "jdk.unsupported,jdk.zipfs"
)
SLIM = ("--strip-debug", "--no-header-files", "--no-man-pages")
TOOLS = ("sh", "env", "grep", "sed", "tr")
CONTAINERFILE = 'FROM scratch\nCOPY . /\nENTRYPOINT ["/bin/sh", "/start.sh"]\n'
START = r"""
env | grep '^KAFKA_' | while IFS= read -r line; do
  name=$(echo "${line%%=*}" | sed 's/^KAFKA_//; s/___/-/g; s/__/@/g; s/_/./g; s/@/_/g')
  echo "$(echo "$name" | tr A-Z a-z)=${line#*=}"
done > /tmp/server.properties
set -f
java="/opt/jre/bin/java -Xmx384m -XX:+UseSerialGC -cp /opt/kafka/*"
$java kafka.tools.StorageTool format --ignore-formatted -t foreshock-test-cluster \
  -c /tmp/server.properties
exec $java kafka.Kafka /tmp/server.properties
"""


def lay_out(root: Path, jars: Path) -> None:
    """Fill `root` with all that the container holds."""
    java = root / "opt/jre"
    made = ["jlink", "--add-modules", MODULES, *SLIM, "--output", str(java)]
    subprocess.run(made, check=True, timeout=300)
    for program in (java / "bin/java", *java.glob("lib/**/*.so")):
        for library in libraries_of(program, java):
            target = root / library.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library.resolve(), target)
    (root / "bin").mkdir(exist_ok=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for tool in TOOLS:
        (root / "bin" / tool).symlink_to("busybox")
    shutil.copytree(jars, root / "opt/kafka")
    (root / "tmp").mkdir()
    (root / "start.sh").write_text(START)
    (root / "Containerfile").write_text(CONTAINERFILE)


def libraries_of(program: Path, java: Path) -> set[Path]:
    """Return what the loader would take from outside of `java`."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30).stdout
    found = {Path(each) for each in re.findall(r"(/\S+) \(0x", listed)}
    return {each for each in found if java not in each.parents}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(tmp_path_factory):
    """A Docker API with the image, named by the environment."""
    missing = [each for each in ("podman", "jlink", "busybox") if shutil.which(each) is None]
    assert not missing, (
        f"no {', '.join(missing)} here: "
        "`apt-get install podman runc busybox-static openjdk-17-jdk-headless maven`"
    )
    folder = tmp_path_factory.mktemp("podman")
    lay_out(folder / "image", await jars(f"kafka-{VERSION}", ARTIFACTS))
    podman = Podman(folder)
    podman("build", "--isolation=chroot", "-t", IMAGE, str(folder / "image"))
    with pytest.MonkeyPatch.context() as env, podman.docker_api(folder / "s") as address:
        env.setenv("DOCKER_HOST", address)
        env.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        env.setenv("KAFKA_TEST_IMAGE", IMAGE)
        env.setenv("KAFKA_TEST_NETWORK", "host")
        docker_answers.cache_clear()
        yield address
    docker_answers.cache_clear()
    podman.close()


async def test_what_was_acknowledged_is_there_after_the_container_was_killed(engine):
    async with apache_kafka() as broker:
        assert isinstance(broker, ContainerKafka)
        kafka = ServiceSettings(kafka_bootstrap_servers=broker.settings.kafka_bootstrap_servers)
        await ensure_topics(kafka, [TRADES])
        trades = [
            sample(Trade, event_id=str(number), ts_recv_ms=CLOCK.now_ms())
            for number in range(1_000)
        ]
        async with Publisher(kafka, "test", CLOCK) as publisher:
            for trade in trades:
                await publisher.publish(TRADES, trade)
        await broker.kill()
        await broker.start()
        async with Member(kafka, [TRADES]).running() as member:
            await member.until(len(trades))
    assert sorted(member.ids()) == sorted(trade.event_id for trade in trades)
