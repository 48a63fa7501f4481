"""State that moves between members: every coin's count goes on where the other left it."""

import uuid
from contextlib import AsyncExitStack

import msgspec
import pytest

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher
from foreshock_kit.testing import eventually
from foreshock_kit.testing.broker import private
from foreshock_kit.testing.counting import Counting
from foreshock_schemas.events import Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import STATE, TRADES

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]

COINS = tuple(f"COIN{number}" for number in range(40))
ROUND = 4_000


def trades(first, beyond, start_ms):
    return [
        sample(
            Trade,
            event_id=f"trade:{number}",
            coin=COINS[number % len(COINS)],
            ts_event_ms=start_ms + number * 500,
            ts_recv_ms=start_ms + number * 500,
        )
        for number in range(first, beyond)
    ]


async def test_no_count_is_told_twice_or_left_out_while_members_come_and_go(kafka):
    topic, name = private(TRADES), f"t{uuid.uuid4().hex}"
    await ensure_topics(kafka, [topic, STATE])
    start_ms = SystemClock().now_ms() - 4 * 3_600_000
    told, planted = [], 0
    crew: list[Counting] = []

    async def plant():
        nonlocal planted
        async with Publisher(kafka, "test", SystemClock()) as publisher:
            for event in trades(planted, planted + ROUND, start_ms):
                await publisher.publish(topic, event)
        planted += ROUND
        await eventually(lambda: sum(len(each.told) for each in crew) >= planted, 60)

    async def join(stack):
        kafka_of = msgspec.structs.replace(kafka, instance_id=str(len(crew)))
        crew.append(Counting(kafka_of, [topic], name, within_s=240))
        await stack.enter_async_context(crew[-1].running())
        await eventually(lambda: all(each.context.health.ready for each in crew), 60)

    async with AsyncExitStack() as later:
        async with AsyncExitStack() as first:
            await join(first)
            await plant()
            await join(later)
            await plant()
            await join(later)
            await plant()
        await plant()
    for each in crew:
        told += each.told
    assert sorted(told) == sorted((COINS[n % 40], 1 + n // 40) for n in range(planted))
    assert all(each.told for each in crew)
