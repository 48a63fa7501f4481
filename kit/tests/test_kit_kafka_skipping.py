from foreshock_kit.kafka.records import Unreadable
from foreshock_kit.kafka.skipping import Skips
from foreshock_kit.testing import FakeClock
from foreshock_schemas.topics import TRADES


class Collector:
    def __init__(self):
        self.said = []

    def warning(self, event, **fields):
        self.said.append((event, fields))


def skipped(partition: int, offset: int, cause: str = "no Avro") -> Unreadable:
    return Unreadable(TRADES, partition, offset, 0, b"BTC", b"", cause)


def test_the_first_of_each_cause_and_partition_is_told():
    collector = Collector()
    skips = Skips(collector, FakeClock())
    for where in ((0, 1), (0, 2), (1, 1), (1, 2)):
        skips.note(skipped(*where))
    skips.note(skipped(0, 3, "too short"))
    told = [(fields["partition"], fields["offset"]) for _, fields in collector.said]
    assert told == [("0", "1"), ("1", "1"), ("0", "3")]


def test_the_others_are_counted_once_a_second_and_at_the_end():
    collector, clock = Collector(), FakeClock()
    with Skips(collector, clock) as skips:
        for offset in range(1_001):
            skips.note(skipped(0, offset))
            skips.tell()
            clock.advance(0.005)
        skips.note(skipped(0, 1_001))
    counts = [
        fields["more"] for event, fields in collector.said if event == "kafka_records_skipped"
    ]
    assert 5 <= len(counts) <= 7
    assert sum(counts) == 1_001


def test_causes_that_all_differ_are_no_flood_either():
    collector = Collector()
    with Skips(collector, FakeClock()) as skips:
        for offset in range(1_000):
            skips.note(skipped(0, offset, f"the price is -{offset}"))
    *told, (event, fields) = collector.said
    assert (event, len(told) + fields["more"]) == ("kafka_records_skipped", 1_000)
    assert len(told) == 50
