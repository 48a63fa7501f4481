import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from foreshock_kit.admin import ensure_topics, topic_problems
from foreshock_kit.testing.broker import private
from foreshock_schemas.topics import INSTRUMENTS, MARKET_STATS, TRADES

pytestmark = pytest.mark.broker


@pytest.fixture
def topics():
    return [private(topic) for topic in (TRADES, INSTRUMENTS, MARKET_STATS)]


async def test_missing_topics_are_created_once_each_with_its_dead_letters(kafka, topics):
    created = await ensure_topics(kafka, topics)
    assert sorted(created) == sorted(
        name for topic in topics for name in (topic.name, topic.dead_letters)
    )
    assert await ensure_topics(kafka, topics) == []
    assert await topic_problems(kafka, topics) == []


async def test_missing_topics_are_a_problem_with_a_remedy(kafka, topics):
    problems = await topic_problems(kafka, topics)
    assert len(problems) == 6
    assert all(
        "is missing: create it with `foreshock topics --create`" in problem for problem in problems
    )


async def test_a_wrong_partition_count_is_told(kafka, topics):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.kafka_bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topics[0].name, 5, 1, topic_configs=topics[0].config)])
    finally:
        await admin.close()
    await ensure_topics(kafka, topics)
    [problem] = await topic_problems(kafka, topics)
    assert problem.startswith(f"{topics[0].name} has 5 partitions instead of 12: ")


async def test_a_wrong_setting_is_told(kafka, topics):
    await ensure_topics(kafka, topics)
    longer = msgspec.structs.replace(topics[0], retention_ms=7_200_000)
    [problem] = await topic_problems(kafka, [longer])
    assert "retention.ms=21600000 instead of 7200000" in problem


async def test_a_cap_shortens_what_is_kept(kafka, topics):
    await ensure_topics(kafka, topics, cap_ms=lambda _: 600_000)
    assert await topic_problems(kafka, topics, cap_ms=lambda _: 600_000) == []
    assert any("retention.ms=600000" in line for line in await topic_problems(kafka, topics))
