"""A broker that answers but refuses, and ports that are taken: a clear line each."""

import socket
from pathlib import Path

import pytest
import pytest_asyncio

from foreshock_kit.admin import ensure_topics
from foreshock_kit.errors import PortInUse
from foreshock_kit.testing import eventually
from foreshock_kit.testing.jvm_kafka import jvm_kafka
from foreshock_kit.testing.node import HOST, free_ports
from foreshock_kit.testing.process import ServiceProcess

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]

JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule"
SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN"}
KNOWN = {"KAFKA_SASL_USERNAME": "foreshock", "KAFKA_SASL_PASSWORD": "right"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded():
    """A broker whose door for clients wants a name, and lets that name do nothing."""
    port, controller, door = free_ports(3)
    own, clients = f"PLAINTEXT://{HOST}:{port}", f"CLIENT://{HOST}:{door}"
    properties = {
        "listeners": f"{own},{clients},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"{own},{clients}",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:SASL_PLAINTEXT"
        ),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": f'{JAAS} required user_foreshock="right" ;',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    async with jvm_kafka(properties, port) as broker:
        await ensure_topics(broker.settings)
        yield f"{HOST}:{door}"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "it hung up: is KAFKA_SECURITY_PROTOCOL=PLAINTEXT what it wants?"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL"},
            "it hung up: is KAFKA_SECURITY_PROTOCOL=SSL what it wants?",
        ),
        (
            SASL | KNOWN | {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"},
            "it does not take KAFKA_SASL_MECHANISM=SCRAM-SHA-256",
        ),
        (
            SASL | KNOWN | {"KAFKA_SASL_PASSWORD": "wrong-word"},
            "it does not take KAFKA_SASL_USERNAME with this password",
        ),
        (
            SASL | KNOWN,
            "connecting is not allowed: give this user the ACLs that it lacks",
        ),
    ],
)
async def test_a_broker_that_refuses_is_told_in_one_line_and_waited_for(
    guarded: str, tmp_path: Path, told: dict[str, str], words: str
):
    env = {"KAFKA_BOOTSTRAP_SERVERS": guarded} | told
    async with ServiceProcess("threshold_service", tmp_path, env) as service:
        await eventually(lambda: words in service.said(), 30)
        ready = await service.answer("/readyz")
    assert ready.status_code == 503
    assert await service.ended() == 0
    line = next(line for line in service.said().splitlines() if words in line)
    assert "kafka_not_ready" in line
    assert "Traceback" not in service.said()
    assert "wrong-word" not in service.said()


async def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            async with jvm_kafka({}, port):
                pass
