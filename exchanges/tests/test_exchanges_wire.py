"""Times of ISO 8601 and gzip frames, against the standard library."""

import gzip
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges.wire import Instant, decoder, gunzip, millis

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


@given(st.binary())
def test_a_frame_is_what_the_standard_library_packed(held):
    assert gunzip(gzip.compress(held)) == held


@pytest.mark.parametrize(
    "frame",
    [b"", b"{}", gzip.compress(b"{}")[:-1], gzip.compress(b"{}")[:-8] + bytes(8)],
    ids=["nothing", "plain", "cut off", "damaged"],
)
def test_what_is_no_whole_gzip_frame_is_refused(frame):
    with pytest.raises(ValueError, match="gzip frame"):
        gunzip(frame)


def test_a_frame_that_holds_more_than_memory_is_for_is_refused():
    with pytest.raises(ValueError, match="too large"):
        gunzip(gzip.compress(bytes(16 * 1024 * 1024 + 1)))
