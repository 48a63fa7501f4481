"""What is counted about Kafka, per topic and never per record."""

from typing import Final

from prometheus_client import Counter, Gauge

PUBLISHED: Final = Counter(
    "foreshock_kafka_records_published_total", "Records acknowledged by the broker", ["topic"]
)
CONSUMED: Final = Counter(
    "foreshock_kafka_records_consumed_total", "Records handed to a handler", ["topic"]
)
DEAD_LETTERS: Final = Counter(
    "foreshock_kafka_dead_letters_total", "Records that could not be read", ["topic", "cause"]
)
EXPIRED: Final = Counter(
    "foreshock_kafka_expired_records_total", "Offsets deleted before we had read them", ["topic"]
)
COMMITS_DROPPED: Final = Counter(
    "foreshock_kafka_commits_dropped_total", "Commits refused because the group had moved on", []
)
LAG: Final = Gauge(
    "foreshock_kafka_lag_records", "Records not yet handed to a handler", ["topic", "partition"]
)
STATE_SAVED: Final = Gauge(
    "foreshock_kafka_state_timestamp_seconds",
    "The time of the records up to which a partition's state is in Kafka, or of the first read.",
    ["partition"],
)
