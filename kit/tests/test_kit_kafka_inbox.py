"""What a poll becomes: records, and dead letters within their limit."""

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from foreshock_kit.errors import DeadLetterLimit
from foreshock_kit.kafka.inbox import Inbox
from foreshock_kit.kafka.positions import Start
from foreshock_schemas.codec import decode, encode
from foreshock_schemas.events import Trade
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import TRADES

WHERE = TopicPartition(TRADES.name, 0)
GOOD = encode(sample(Trade))


class Letters:
    """Takes dead letters."""

    def __init__(self):
        self.taken = []

    async def dead_letter(self, topic, value, key, headers):
        self.taken.append((topic, value, headers["offset"]))


class Log:
    """Hands out values as a poll would."""

    def __init__(self):
        self.offset = 0

    def poll(self, *values):
        records = []
        for value in values:
            records.append(
                ConsumerRecord(
                    TRADES.name, 0, self.offset, 0, 0, b"k", value, None, 1, len(value), ()
                )
            )
            self.offset += 1
        return {WHERE: records}


async def take(inbox, batches):
    inbox.put(batches, 0.0)
    return [record for raws in inbox.ready(set()) for record in await inbox.read(raws)]


@pytest.fixture
def letters():
    return Letters()


@pytest.fixture
def inbox(letters):
    inbox = Inbox([TRADES], letters, decode)
    inbox.restart({WHERE: Start(offset=0, live_from=0, settled=0, end=0, expired=0)})
    return inbox


async def test_what_cannot_be_read_is_put_aside_and_the_rest_handed_on(inbox, letters):
    records = await take(inbox, Log().poll(GOOD, b"rubbish", GOOD))
    assert [record.offset for record in records] == [0, 2]
    assert letters.taken == [(TRADES, b"rubbish", "1")]


async def test_a_hundred_in_a_row_are_the_limit_over_however_many_polls(inbox):
    log = Log()
    await take(inbox, log.poll(*[b"rubbish"] * 60))
    with pytest.raises(DeadLetterLimit, match="100 unreadable records in a row"):
        await take(inbox, log.poll(*[b"rubbish"] * 60))


async def test_good_records_between_them_end_the_row(inbox, letters):
    log = Log()
    await take(inbox, log.poll(*[b"rubbish"] * 60))
    await take(inbox, log.poll(*[GOOD] * 1_500, *[b"rubbish"] * 60))
    assert len(letters.taken) == 120
