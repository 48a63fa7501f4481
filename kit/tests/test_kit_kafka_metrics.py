"""What the Kafka metrics show before anything goes wrong, and after partitions have moved."""

from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from foreshock_kit.kafka.inbox import Inbox
from foreshock_kit.kafka.reader import forget_lag, report_lag
from foreshock_kit.testing import MemoryPublisher
from foreshock_kit.testing.broker import private
from foreshock_schemas.codec import decode
from foreshock_schemas.topics import TRADES

LAG = "foreshock_kafka_lag_records"


class Consumer:
    """Knows where every partition ends."""

    def highwater(self, where):
        return 10


def lags(topic):
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return {
        int(sample.labels["partition"]): sample.value
        for sample in samples
        if sample.name == LAG and sample.labels["topic"] == topic
    }


def test_a_partition_given_away_has_no_lag_here_any_more():
    topic = private(TRADES).name
    here, elsewhere = TopicPartition(topic, 0), TopicPartition(topic, 1)
    report_lag(Consumer(), [(here, 10), (elsewhere, 3)])
    assert lags(topic) == {0: 0, 1: 7}
    forget_lag([elsewhere])
    assert lags(topic) == {0: 0}


def test_dead_letters_count_from_zero():
    topic = private(TRADES)
    Inbox([topic], MemoryPublisher(), decode)
    labels = {"topic": topic.name, "cause": "undecodable"}
    assert REGISTRY.get_sample_value("foreshock_kafka_dead_letters_total", labels) == 0
