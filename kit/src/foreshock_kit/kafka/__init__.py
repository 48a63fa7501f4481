"""Everything Kafka: publishing, consuming as a group, following without one."""

from foreshock_kit.kafka.consumer import consume
from foreshock_kit.kafka.letters import DeadLetter, follow_dead_letters
from foreshock_kit.kafka.publisher import Publisher
from foreshock_kit.kafka.publishing import Publishing
from foreshock_kit.kafka.records import Record
from foreshock_kit.kafka.replaying import Past, received, reread
from foreshock_kit.kafka.snapshots import Stateful
from foreshock_kit.kafka.view import follow, keep_following

__all__ = [
    "DeadLetter",
    "Past",
    "Publisher",
    "Publishing",
    "Record",
    "Stateful",
    "consume",
    "follow",
    "follow_dead_letters",
    "keep_following",
    "received",
    "reread",
]
