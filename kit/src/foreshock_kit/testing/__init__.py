"""What tests of every member share: a clock, waiting, a publisher in memory, reading, a broker."""

from foreshock_kit.testing.clock import FakeClock
from foreshock_kit.testing.publisher import MemoryPublisher
from foreshock_kit.testing.reading import records_on
from foreshock_kit.testing.waiting import eventually

__all__ = ["FakeClock", "MemoryPublisher", "eventually", "records_on"]
