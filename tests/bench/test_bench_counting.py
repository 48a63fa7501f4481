import asyncio
import itertools
import signal
import sys

import pytest
from bench.measuring import StoodStill, ends, reached


def counts(*numbers):
    """Return what gives these, one after the other, and the last for ever."""
    given = itertools.chain(numbers, itertools.repeat(numbers[-1]))

    async def count():
        return float(next(given))

    return count


async def test_a_count_is_waited_for_until_it_is_high_enough():
    assert await reached(counts(0, 5, 12), 10, "records") == 12


async def test_a_count_that_grows_no_more_is_not_waited_for():
    with pytest.raises(StoodStill, match=r"records: 3 of 10, no more for 0.1 s"):
        await reached(counts(0, 3), 10, "records", still_s=0.1)


@pytest.mark.parametrize(
    ("source", "within_s", "in_time", "code"),
    [("", 30.0, True, 0), ("import time; time.sleep(60)", 0.1, False, -signal.SIGKILL)],
)
async def test_a_process_that_does_not_end_in_time_is_not_left_behind(
    source, within_s, in_time, code
):
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", source)
    assert await ends(process, within_s) is in_time
    assert process.returncode == code
