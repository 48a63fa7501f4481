"""What a small Kafka node is told, and how one sees that it serves."""

import asyncio
import random
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from foreshock_kit.errors import Permanent, Transient
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.kafka.connection import bounded
from foreshock_kit.settings import KafkaSettings

VERSION: Final = "4.3.0"
"""The version of Apache Kafka that tests run on."""

HOST: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 32_000)
_START_S: Final = 60.0
_ASK_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.05


def properties_of(
    port: int, controller_port: int, data: str, listen_on: str = HOST
) -> dict[str, str]:
    """Return the properties of one node, broker and controller in one, reached on loopback."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{listen_on}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
    }


async def until_it_serves(settings: KafkaSettings, ended: Callable[[], str | None]) -> None:
    """Wait until a broker answers and is one of its cluster.

    Args:
        settings: How to reach it.
        ended: Returns its last words once it has ended.

    Raises:
        Permanent: it ended; with its own words.
        Transient: it does not serve within a minute.
    """
    try:
        async with asyncio.timeout(_START_S):
            while not await _serves(settings):
                if (words := ended()) is not None:
                    raise Permanent(f"Apache Kafka cannot run: {words}")
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError as error:
        raise Transient(f"Apache Kafka does not serve within {_START_S:g} s") from error


async def _serves(settings: KafkaSettings) -> bool:
    try:
        async with bounded(_ASK_S, "asking"), admin_client(settings) as admin:
            return bool((await admin.describe_cluster())["brokers"])
    except Transient:
        return False


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now, all of them different.

    They lie below those that the system gives to connections, so that none takes them while
    their server is away.
    """
    with ExitStack() as stack:
        return [_hold_one(stack) for _ in range(count)]


def _hold_one(stack: ExitStack) -> int:
    while True:
        held = socket.socket()
        try:
            held.bind((HOST, random.choice(_PORTS)))  # noqa: S311
        except OSError:
            held.close()
        else:
            return int(stack.enter_context(held).getsockname()[1])
