"""From frames to events that are new, and what is counted on the way."""

from foreshock_exchanges import intake
from foreshock_exchanges.base import Ignored, MalformedFrame, MarkPrice, UnknownInstrument
from foreshock_exchanges.intake import Intake
from foreshock_schemas.events import Trade
from foreshock_schemas.testing import sample


def trade(number: int) -> Trade:
    return sample(
        Trade,
        event_id=f"x:{number}",
    )


MARK = MarkPrice(
    exchange="x",
    symbol="BTC",
    coin="BTC",
    mark_price=1.0,
    index_price=None,
    ts_event_ms=1,
    ts_recv_ms=2,
)


class Scripted:
    """An adapter whose frames are the numbers of its answers."""

    def __init__(self, *answers):
        self.answers = answers

    def parse(self, frame, recv_ms):
        answer = self.answers[int(frame)]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_every_frame_is_counted_as_what_it_was():
    refused = []
    scripted = Scripted(
        [trade(1), trade(2), MARK],
        Ignored.ACK,
        Ignored.SUBSCRIBE_ERROR,
        MalformedFrame("bad"),
        UnknownInstrument("who"),
    )
    taken = Intake(scripted, lambda reason, frame: refused.append((reason, frame)))
    assert taken.take(b"0", 9) == [trade(1), trade(2), MARK]
    for frame in (b"1", b"2", b"3", b"4"):
        assert taken.take(frame, 9) == []
    assert refused == [("subscribe_error", b"2"), ("bad", b"3"), ("who", b"4")]
    assert list(taken.counts()) == [
        ("frames", "", 5),
        ("events", "", 2),
        ("malformed", "", 1),
        ("unknown_instruments", "", 1),
        ("duplicates", "", 0),
        ("ignored", "ack", 1),
        ("ignored", "subscribe_error", 1),
    ]


def test_what_came_before_is_dropped_but_marks_are_not():
    taken = Intake(Scripted([trade(1), MARK], [trade(1), trade(2), MARK]), print)
    assert taken.take(b"0", 9) == [trade(1), MARK]
    assert taken.take(b"1", 9) == [trade(2), MARK]
    assert (taken.events, taken.duplicates) == (2, 1)


def test_repeats_are_known_over_two_generations_and_no_longer(monkeypatch):
    monkeypatch.setattr(intake, "_REMEMBERED", 3)
    taken = Intake(Scripted(*([trade(number)] for number in range(10))), print)
    for number in range(6):
        assert taken.take(str(number).encode(), 9)
    assert not taken.take(b"5", 9)
    assert not taken.take(b"3", 9)
    assert taken.take(b"0", 9), "forgotten"
