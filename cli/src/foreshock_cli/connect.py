"""Which broker a command talks to: the one named, the environment's, or the running stack's."""

import argparse
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from foreshock_cli.endpoints import Endpoints
from foreshock_cli.lock import is_held
from foreshock_cli.plan import embedded_retention_ms
from foreshock_kit.admin import RetentionCap
from foreshock_kit.environment import load
from foreshock_kit.errors import ForeshockError, SettingsInvalid
from foreshock_kit.kafka.cluster import partition_counts
from foreshock_kit.kafka.connection import bounded, knock
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import Topic

ENDPOINTS: Final = Path("var/run/endpoints.json")
LOCK: Final = ENDPOINTS.with_name("lock")
_REACH_S: Final = 5.0
_DOTENV: Final = Path(".env")


class NoBroker(ForeshockError):
    """No broker was named, and none is ours."""

    def __init__(self) -> None:
        super().__init__(
            "no stack runs here (`make run`), and neither KAFKA_BOOTSTRAP_SERVERS nor --kafka "
            "names a broker"
        )


class NoTopics(ForeshockError):
    """The broker lacks topics that are to be read."""

    def __init__(self, missing: Sequence[str]) -> None:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        super().__init__(
            f"the broker has no {missing[0]}{more}: is it the right one? "
            "`foreshock topics --create` creates what is missing"
        )


def add_broker_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--kafka`."""
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        help="the broker; else KAFKA_BOOTSTRAP_SERVERS, else that of the running `foreshock up`",
    )


def environment() -> dict[str, str]:
    """Return the environment over what `.env` says.

    Raises:
        SettingsInvalid: `.env` has lines that say nothing; it names each.
    """
    if not _DOTENV.is_file():
        return dict(os.environ)
    with _DOTENV.open() as stream:
        problems = tuple(filter(None, map(_problem, parse_stream(stream))))
    if problems:
        raise SettingsInvalid(problems)
    return {k: v for k, v in dotenv_values(_DOTENV).items() if v is not None} | dict(os.environ)


def dotenv_names() -> set[str]:
    """Return the names that `.env` has."""
    return set(dotenv_values(_DOTENV))


def _problem(found: Binding) -> str | None:
    where = f".env line {found.original.line}"
    if found.error:
        return f"{where} cannot be read: is a quote not closed, or NAME=value misspelt?"
    if found.key is not None and found.value is None:
        return f"{where} has no value: write {found.key}=..., or # before it"
    return None


def running() -> Endpoints | None:
    """Return the endpoints of a running `foreshock up` in this folder."""
    if not is_held(LOCK):
        return None
    with suppress(FileNotFoundError):
        return msgspec.json.decode(ENDPOINTS.read_bytes(), type=Endpoints)
    return None


def kafka_settings(arguments: argparse.Namespace) -> KafkaSettings:
    """Return how to reach the broker.

    Raises:
        NoBroker: None was named, and no stack runs here.
        SettingsInvalid: The environment's Kafka settings are wrong.
    """
    env = environment()
    ends = running()
    if arguments.kafka:
        env["KAFKA_BOOTSTRAP_SERVERS"] = arguments.kafka
    elif not env.get("KAFKA_BOOTSTRAP_SERVERS"):
        if ends is None:
            raise NoBroker
        env["KAFKA_BOOTSTRAP_SERVERS"] = ends.kafka
    return load(KafkaSettings, env)


async def reach(settings: KafkaSettings, topics: Sequence[Topic] = ()) -> None:
    """See that a broker answers, and has the topics.

    Raises:
        NoTopics: it lacks some.
        Transient: none answers within 5 s; it says why.
    """
    async with bounded(_REACH_S, f"asking {settings.kafka_bootstrap_servers}"):
        await knock(settings)
        found = await partition_counts(settings) if topics else {}
    missing = [topic.name for topic in topics if topic.name not in found]
    if missing:
        raise NoTopics(missing)


def retention_cap(settings: KafkaSettings) -> RetentionCap | None:
    """Return how long this broker may keep records if it is our embedded one, else nothing."""
    ends = running()
    asked = settings.kafka_bootstrap_servers.replace("localhost", "127.0.0.1")
    embedded = ends is not None and ends.embedded_broker and ends.kafka == asked
    return embedded_retention_ms if embedded else None
