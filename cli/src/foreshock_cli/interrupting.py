"""Ctrl-C and SIGTERM for a command that has child processes and files: it clears up, then ends."""

import asyncio
import signal
from collections.abc import Awaitable
from functools import partial
from typing import TypeVar

from foreshock_kit.errors import ForeshockError

T = TypeVar("T")


class Interrupted(ForeshockError):
    """The command was told to end; `code` is its exit code, 128 plus the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{signal.Signals(number).name} came before the end: nothing was written")
        self.code = 128 + number


async def until_interrupted(work: Awaitable[T]) -> T:
    """Return what the work returns.

    Raises:
        Interrupted: (in an exception group) SIGINT or SIGTERM came first; the work was cancelled.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, partial(_tell, told, number))
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_interrupt(told))
        result = await work
        waiting.cancel()
    return result


def _tell(told: "asyncio.Future[int]", number: int) -> None:
    if not told.done():
        told.set_result(number)


async def _interrupt(told: "asyncio.Future[int]") -> None:
    raise Interrupted(await told)
