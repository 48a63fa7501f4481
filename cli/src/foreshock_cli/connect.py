"""Which broker a command talks to: the one named, the environment's, or the running stack's."""

import argparse
import os
from pathlib import Path

import msgspec
from dotenv import dotenv_values

from foreshock_cli.endpoints import Endpoints
from foreshock_cli.plan import EMBEDDED_RETENTION_MS
from foreshock_kit.settings import KafkaSettings, load

ENDPOINTS = Path("var/run/endpoints.json")


def add_broker_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--kafka`."""
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        help="the broker; else KAFKA_BOOTSTRAP_SERVERS, else that of the running `foreshock up`",
    )


def environment() -> dict[str, str]:
    """Return the environment over what `.env` says."""
    return {k: v for k, v in dotenv_values(".env").items() if v is not None} | dict(os.environ)


def running() -> Endpoints | None:
    """Return the endpoints of a running `foreshock up` in this folder."""
    if not ENDPOINTS.exists():
        return None
    return msgspec.json.decode(ENDPOINTS.read_bytes(), type=Endpoints)


def named(arguments: argparse.Namespace) -> bool:
    """Return whether a broker was named, by `--kafka` or in the environment."""
    return bool(arguments.kafka or environment().get("KAFKA_BOOTSTRAP_SERVERS"))


def kafka_settings(arguments: argparse.Namespace) -> KafkaSettings:
    """Return how to reach the broker.

    Raises:
        SettingsInvalid: The environment's Kafka settings are wrong.
    """
    env = environment()
    ends = running()
    if arguments.kafka:
        env["KAFKA_BOOTSTRAP_SERVERS"] = arguments.kafka
    elif ends and "KAFKA_BOOTSTRAP_SERVERS" not in env:
        env["KAFKA_BOOTSTRAP_SERVERS"] = ends.kafka
    return load(KafkaSettings, env)


def retention_cap_ms(settings: KafkaSettings) -> int | None:
    """Return how long this broker may keep records if it is our embedded one, else nothing."""
    ends = running()
    asked = settings.kafka_bootstrap_servers.replace("localhost", "127.0.0.1")
    embedded = ends is not None and ends.embedded_broker and ends.kafka == asked
    return EMBEDDED_RETENTION_MS if embedded else None
