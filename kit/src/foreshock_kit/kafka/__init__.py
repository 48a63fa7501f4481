"""Everything Kafka: publishing, consuming as a group, following without one."""

from foreshock_kit.kafka.consumer import consume
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.publishing import Publishing
from foreshock_kit.kafka.records import Record
from foreshock_kit.kafka.replaying import Past, received, reread
from foreshock_kit.kafka.snapshots import Stateful
from foreshock_kit.kafka.view import follow, keep_following

__all__ = [
    "Past",
    "Publisher",
    "Publishing",
    "Record",
    "Stateful",
    "consume",
    "follow",
    "keep_following",
    "received",
    "reread",
]
