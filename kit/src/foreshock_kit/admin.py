"""Topics as the table has them: create the missing, and say what differs."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from foreshock_kit.errors import Permanent
from foreshock_kit.kafka.cluster import admin_client
from foreshock_kit.kafka.connection import bounded
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import DEAD_LETTER_RETENTION_MS, TOPICS, Topic

RetentionCap = Callable[[Topic], int]
"""How long a topic's records are kept at most; ms."""

_WANTED_REPLICAS: Final = 3
_SEGMENTS: Final = 4
"""In how many parts a broker that holds all in memory drops what a topic keeps."""

_TAKES_S: Final = 30.0
_LOOK_AGAIN_S: Final = 0.05


async def ensure_topics(
    settings: KafkaSettings,
    topics: Sequence[Topic] = TOPICS,
    cap_ms: RetentionCap | None = None,
) -> list[str]:
    """Create the topics that are missing, each with its dead-letter topic; change none.

    Args:
        settings: Where the broker is.
        topics: Which should be there.
        cap_ms: How long a topic is kept at most, for a broker that holds all in memory.

    Returns:
        The names of those created, once the broker shows them.

    Raises:
        Permanent: the broker refuses to create one.
        Transient: the broker does not answer.
    """
    wanted = _wanted(topics, cap_ms)
    async with bounded(_TAKES_S, "creating topics"), admin_client(settings) as admin:
        existing = set(await admin.list_topics())
        while not (brokers := (await admin.describe_cluster())["brokers"]):
            await asyncio.sleep(_LOOK_AGAIN_S)  # it answers before it is one of its own cluster
        replicas = min(_WANTED_REPLICAS, len(brokers))
        missing = [
            NewTopic(name, partitions, replicas, topic_configs=config)
            for name, (partitions, config) in wanted.items()
            if name not in existing
        ]
        if not missing:
            return []
        created = _created(await admin.create_topics(missing))
        while not wanted.keys() <= set(await admin.list_topics()):
            await asyncio.sleep(_LOOK_AGAIN_S)
        return created


async def topic_problems(
    settings: KafkaSettings,
    topics: Sequence[Topic] = TOPICS,
    cap_ms: RetentionCap | None = None,
) -> list[str]:
    """Compare the broker's topics with the table; each line says what to do.

    Raises:
        Transient: the broker does not answer.
    """
    wanted = _wanted(topics, cap_ms)
    async with bounded(_TAKES_S, "looking at topics"), admin_client(settings) as admin:
        found = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics()}
        present = [name for name in wanted if name in found]
        configs = await _configs(admin, present)
    problems = [
        f"{name} is missing: create it with `foreshock topics --create`"
        for name in wanted
        if name not in found
    ]
    for name in present:
        partitions, config = wanted[name]
        problems += _partition_problems(name, partitions, found[name])
        problems += _config_problems(name, config, configs[name])
    return problems


def _wanted(
    topics: Iterable[Topic], cap_ms: RetentionCap | None
) -> dict[str, tuple[int, dict[str, str]]]:
    dead_letters = {"cleanup.policy": "delete", "retention.ms": str(DEAD_LETTER_RETENTION_MS)}
    wanted: dict[str, tuple[int, dict[str, str]]] = {}
    for topic in topics:
        most_ms = cap_ms(topic) if cap_ms else None
        wanted[topic.name] = topic.partitions, _capped(topic.config, most_ms)
        wanted[topic.dead_letters] = 1, _capped(dead_letters, most_ms)
    return wanted


def _capped(config: dict[str, str], most_ms: int | None) -> dict[str, str]:
    retention = config.get("retention.ms")
    if most_ms is None or retention is None:
        return config
    kept_ms = min(int(retention), most_ms)
    return {**config, "retention.ms": str(kept_ms), "segment.ms": str(kept_ms // _SEGMENTS)}


def _created(response: Any) -> list[str]:
    created = []
    for name, code, message in response.topic_errors:
        error = for_code(code)
        if error is NoError:
            created.append(name)
        elif error is not TopicAlreadyExistsError:
            raise Permanent(f"the broker does not create {name}: {message or error.__name__}")
    return created


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for response in await admin.describe_configs(asked)
        for _, _, _, name, entries in response.resources
    }


def _partition_problems(name: str, wanted: int, found: int) -> list[str]:
    if found == wanted:
        return []
    advice = (
        "no key stays where it was when partitions are added: stop all services, "
        "delete the topic and create it with `foreshock topics --create`"
    )
    return [f"{name} has {found} partitions instead of {wanted}: {advice}"]


def _config_problems(name: str, wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    return [
        f"{name} has {key}={found.get(key)} instead of {value}: set it with `kafka-configs "
        f"--alter --entity-type topics --entity-name {name} --add-config {key}=[{value}]`"
        for key, value in wanted.items()
        if _as_set(found.get(key)) != _as_set(value)
    ]


def _as_set(value: str | None) -> frozenset[str]:
    return frozenset(part.strip() for part in (value or "").split(","))
