"""Times of ISO 8601, against the standard library."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
