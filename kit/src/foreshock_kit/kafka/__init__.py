"""Everything Kafka: publishing, consuming as a group, following without one."""

from foreshock_kit.kafka.consumer import consume
from foreshock_kit.kafka.publisher import Publisher, Publishing
from foreshock_kit.kafka.records import Record
from foreshock_kit.kafka.view import follow

__all__ = ["Publisher", "Publishing", "Record", "consume", "follow"]
