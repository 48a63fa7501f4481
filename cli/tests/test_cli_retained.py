"""Since when topics hold what was asked for."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from foreshock_cli.retained import Retained, retained

DAY_MS = 86_400_000
SPAN = (10 * DAY_MS, 20 * DAY_MS)


def _where(name):
    topic, _, partition = name.partition("_")
    return TopicPartition(topic, int(partition or 0))


class Logs:
    """Partitions whose records are given by the day of each; `lost` went before them.

    `bars_1` is the partition 1 of `bars`; those in `kept` lost nothing.
    """

    def __init__(self, lost=0, kept=(), **days):
        self._days = {_where(name): of for name, of in days.items()}
        self.first = {_where(name): 0 if name in kept else lost for name in days}
        self.ends = {where: self.first[where] + len(of) for where, of in self._days.items()}

    async def at(self, times_ms):
        return {
            where: self.first[where] + sum(day * DAY_MS < times_ms[where] for day in of)
            for where, of in self._days.items()
        }

    async def read(self, starts, ends):
        for where, start in starts.items():
            first = self.first[where]
            for day in self._days[where][start - first : ends[where] - first]:
                yield [SimpleNamespace(**where._asdict(), timestamp=day * DAY_MS)]


async def test_what_holds_more_than_was_asked_for_holds_all_of_it():
    found = await retained(Logs(bars=[9, 12, 19], trades=[2, 18]), SPAN)
    assert found == Retained({"bars": 10 * DAY_MS, "trades": 10 * DAY_MS}, 19 * DAY_MS)
    assert found.days("bars") == 9


async def test_what_was_lost_is_not_held():
    found = await retained(Logs(lost=7, bars=[13, 19], trades=[16, 18]), SPAN)
    assert found == Retained({"bars": 13 * DAY_MS, "trades": 16 * DAY_MS}, 19 * DAY_MS)


@pytest.mark.parametrize("first_day", [9, 13])
async def test_what_one_partition_lost_its_topic_does_not_hold(first_day):
    logs = Logs(lost=7, kept={"bars_2"}, bars=[first_day, 19], bars_1=[15, 18], bars_2=[17])
    found = await retained(logs, SPAN)
    assert found == Retained({"bars": 15 * DAY_MS}, 19 * DAY_MS)


async def test_a_topic_that_lost_nothing_was_quiet_until_its_first_record():
    found = await retained(Logs(bars=[13, 19], trades=[16], zones=[]), SPAN)
    assert set(found.since_ms.values()) == {13 * DAY_MS}
    assert found.days("zones") == 6


async def test_one_record_is_a_minute():
    found = await retained(Logs(bars=[13], zones=[25]), SPAN)
    assert found.days("bars") == 1 / 1440


async def test_nothing_is_held_of_another_time():
    assert await retained(Logs(bars=[5, 9], trades=[20]), SPAN) is None
