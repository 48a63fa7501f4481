"""Looking for snapshots says of records that are none."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from structlog.testing import capture_logs

from foreshock_kit.errors import Transient
from foreshock_kit.kafka.recovery import find
from foreshock_schemas.codec import decode, encode
from foreshock_schemas.events import Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import STATE


class Failing:
    """A log of records that all have one value; then the broker does not answer."""

    def __init__(self, value, records):
        where = TopicPartition(STATE.name, 0)
        self.first, self.ends = {where: 0}, {where: records}
        self._raws = [
            SimpleNamespace(**where._asdict(), offset=at, timestamp=0, key=b"mine:BTC", value=value)
            for at in range(records)
        ]

    async def at(self, times_ms):
        return dict.fromkeys(times_ms, 0)

    async def read(self, _starts, _ends):
        yield self._raws
        raise Transient("nothing for 30 s")


@pytest.mark.parametrize(
    ("value", "cause"),
    [(encode(sample(Trade)), "Trade on foreshock.state.v1"), (b"", "")],
    ids=["another event", "no event"],
)
async def test_what_is_no_snapshot_is_told_and_counted_even_by_an_error(value, cause):
    with capture_logs() as said, pytest.raises(Transient):
        await find(Failing(value, 3), "mine", {0: 0}, decode)
    first, more = said
    assert (first["event"], first["offset"]) == ("kafka_record_skipped", "0")
    assert cause in first["error"]
    assert (more["event"], more["more"]) == ("kafka_records_skipped", 2)
