"""Members of a group that come, go and lose their broker: nothing lost, nothing twice."""

import asyncio
import collections
import itertools
import uuid
from contextlib import AsyncExitStack

import msgspec
import pytest

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.kafka import Publisher, commits
from foreshock_kit.testing import eventually
from foreshock_kit.testing.broker import private
from foreshock_kit.testing.member import Member
from foreshock_schemas.events import Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import BARS, TRADES

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]

CLOCK = SystemClock()
PLANTED = 100_000
COINS = tuple(f"COIN{number}" for number in range(40))


def trade(number: int) -> Trade:
    return sample(
        Trade,
        event_id=f"binance:X:aggTrade:{number}",
        ts_recv_ms=CLOCK.now_ms(),
        coin=COINS[number % len(COINS)],
    )


class Crew:
    """Members of one group, and what all of them were handed."""

    def __init__(self, kafka, topic) -> None:
        self.name = f"t{uuid.uuid4().hex}"
        self.members: list[Member] = []
        self._kafka, self._topic = kafka, topic
        self._stack = AsyncExitStack()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        for member in self.members:
            member.context.stop.set()
        return await self._stack.__aexit__(*error)

    async def join(self) -> None:
        told = msgspec.structs.replace(self._kafka, instance_id=str(len(self.members)))
        member = Member(told, [self._topic], self.name, within_s=240)
        await self._stack.enter_async_context(member.running())
        self.members.append(member)

    @property
    def seen(self) -> int:
        return sum(len(member.records) for member in self.members)

    def handed(self) -> collections.Counter:
        return collections.Counter(itertools.chain(*(member.ids() for member in self.members)))


async def plant(kafka, topic) -> None:
    """Publish all events, 4,000 a second, so that members come and go under load."""
    async with Publisher(kafka, "test", CLOCK, delivery_s=60) as publisher:
        for number in range(PLANTED):
            await publisher.publish(topic, trade(number))
            if number % 200 == 0:
                await asyncio.sleep(0.05)


async def test_nothing_is_lost_or_repeated_through_three_rebalances_and_a_broker_kill(
    apache, kafka, monkeypatch
):
    monkeypatch.setattr(commits, "_COMMIT_S", 60.0)  # a busy machine starts a broker slowly
    topic = private(TRADES)
    await ensure_topics(kafka, [topic])
    async with asyncio.timeout(240), Crew(kafka, topic) as crew, asyncio.TaskGroup() as group:
        await crew.join()
        group.create_task(plant(kafka, topic))
        for step in (1, 2):
            await eventually(lambda step=step: crew.seen > step * 20_000, 60)
            await crew.join()
            await eventually(lambda: all(m.records for m in crew.members), 60)
        await eventually(lambda: crew.seen > 55_000, 60)
        await apache.kill()
        await apache.start()
        await eventually(lambda: crew.seen > 75_000, 60)
        await crew.join()
        await eventually(lambda: crew.seen >= PLANTED, 60)
    handed = crew.handed()
    assert len(handed) == PLANTED
    assert [each for each, times in handed.items() if times > 1] == []
    assert all(member.records for member in crew.members)


async def test_a_member_that_reads_more_topics_than_before_has_them_at_once(kafka):
    trades, bars = private(TRADES), private(BARS)
    await ensure_topics(kafka, [trades, bars])
    async with Publisher(kafka, "test", CLOCK) as publisher:
        await publisher.publish(trades, trade(1))
    before = Member(kafka, [trades])
    async with before.running():
        await before.until(1)
    after = Member(kafka, [trades, bars], before.context.name)
    async with after.running():
        await eventually(lambda: after.context.health.ready, 60)
