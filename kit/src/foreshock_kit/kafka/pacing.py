"""Pauses between empty fetches, for brokers that answer them at once.

Kafka holds an empty fetch open for `fetch.max.wait.ms`. noida-db does not: a reader with nothing
to read asked it 2,700 times a second, at 0.87 of a core. The pause is taken only where the
answer came sooner than the pause is long, so that a broker that waits never meets it.
"""

import asyncio
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

PAUSE_S: Final = 0.02


def pace_empty_fetches(consumer: AIOKafkaConsumer) -> None:
    """Make a started consumer take its time after an empty answer.

    aiokafka has no setting for it, so its fetcher's one method is wrapped (aiokafka 0.14).
    """
    fetcher = consumer._fetcher  # noqa: SLF001
    fetch = fetcher._proc_fetch_request  # noqa: SLF001
    now = asyncio.get_running_loop().time

    async def paced(*request: Any) -> bool:
        started = now()
        got_records: bool = await fetch(*request)
        left_s = PAUSE_S - (now() - started)
        if got_records or left_s <= 0:
            return got_records
        try:
            await asyncio.sleep(left_s)
        except asyncio.CancelledError:
            return False  # as aiokafka's own does: the answer is no longer of interest
        return False

    fetcher._proc_fetch_request = paced  # noqa: SLF001
