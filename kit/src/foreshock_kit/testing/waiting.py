"""Waiting for what will be true, instead of sleeping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final

_STEP_S: Final = 0.01


async def eventually(
    check: Callable[[], object | Awaitable[object]], timeout_s: float = 10.0
) -> None:
    """Return as soon as `check` gives something true.

    Raises:
        AssertionError: It never did within `timeout_s`.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while not await _answer(check):
                await asyncio.sleep(_STEP_S)
    except TimeoutError:
        raise AssertionError(f"not true within {timeout_s:g} s: {check}") from None


async def _answer(check: Callable[[], object | Awaitable[object]]) -> object:
    answer = check()
    return await answer if inspect.isawaitable(answer) else answer
