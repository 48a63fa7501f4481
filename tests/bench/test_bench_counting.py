import itertools

import pytest
from bench.measuring import StoodStill, reached


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
