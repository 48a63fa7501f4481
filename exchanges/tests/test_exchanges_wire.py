"""Times of ISO 8601, against the standard library, and margins told in levels."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges.figures import margin_tiers
from foreshock_exchanges.wire import Instant, decoder, millis

read = decoder(Instant)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda passed: timezone(timedelta(minutes=passed)))


@given(st.integers(1_000, 4_102_444_800_000_000), OFFSETS)
def test_a_time_is_what_the_standard_library_wrote(microseconds, offset):
    at = (EPOCH + timedelta(microseconds=microseconds)).astimezone(offset)
    assert millis(read(f'"{at.isoformat()}"'.encode())) == microseconds // 1000


def test_a_time_of_seven_digits_is_read():
    assert millis(read(b'"2025-11-17T00:31:01.8357151Z"')) == 1_763_339_461_835


@pytest.mark.parametrize(
    "text", ["", "2025-11-17", "2025-11-17T00:31:01", "2025-13-01T00:00:00Z", "nan", "soon"]
)
def test_what_is_no_time_with_an_offset_is_refused(text):
    with pytest.raises(msgspec.ValidationError):
        read(f'"{text}"'.encode())


def test_a_time_before_1970_is_refused():
    with pytest.raises(ValueError, match="not after 1970"):
        millis(EPOCH)


def test_margin_does_not_jump_where_a_tier_begins():
    tiers = margin_tiers([(500.0, 0.02, 0.04), (0.0, 0.01, 0.02), (1000.0, 0.05, 0.1)])
    assert [tier.floor_usd for tier in tiers] == [0.0, 500.0, 1000.0]
    assert [tier.max_leverage for tier in tiers] == [50.0, 25.0, 10.0]
    for below, above in pairwise(tiers):
        owed = [above.floor_usd * tier.rate - tier.deduction_usd for tier in (below, above)]
        assert owed[0] == pytest.approx(owed[1])


def test_there_are_no_tiers_without_levels():
    assert margin_tiers([]) == ()
