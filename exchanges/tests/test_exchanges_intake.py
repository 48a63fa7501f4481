"""From frames to events that are new, and what is counted on the way."""

from foreshock_exchanges import intake
from foreshock_exchanges.base import (
    Answer,
    Ignored,
    MalformedMessage,
    MarkPrice,
    OtherStream,
    Unsized,
)
from foreshock_exchanges.intake import Intake
from foreshock_schemas.events import OpenInterest, Trade
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
        MalformedMessage("bad"),
        [Unsized("who")],
        OtherStream("depthUpdate"),
        [Unsized("who"), trade(3)],
    )
    taken = Intake(scripted, lambda reason, frame: refused.append((reason, frame)))
    assert taken.take(b"0", 9) == [trade(1), trade(2), MARK]
    assert taken.heard == "market"
    heard = []
    for frame in (b"1", b"2", b"3", b"4", b"5"):
        assert taken.take(frame, 9) == []
        heard.append(taken.heard)
    assert heard == ["other", "refusal", "other", "market", "other"]
    assert taken.take(b"6", 9) == [trade(3)]
    unknown = "the size of who is not known"
    assert refused == [
        ("subscribe_error", b"2"),
        ("bad", b"3"),
        (unknown, b"4"),
        (unknown, b"6"),
    ]
    assert list(taken.counts()) == [
        ("frames", "", 7),
        ("events", "", 3),
        ("malformed", "", 1),
        ("unknown_instruments", "", 2),
        ("duplicates", "", 0),
        ("history", "", 0),
        ("ignored", "ack", 1),
        ("ignored", "subscribe_error", 1),
        ("ignored", "unknown_instrument", 1),
        ("ignored", "other_stream:depthUpdate", 1),
    ]


def test_a_question_is_heard_with_its_answer():
    taken = Intake(Scripted(Answer('{"pong":1}')), print)
    assert taken.take(b"0", 9) == []
    assert taken.heard == Answer('{"pong":1}')
    assert dict(taken.ignored) == {"ping": 1}


def test_what_proves_that_a_socket_lives_is_the_market_s_without_an_event():
    taken = Intake(Scripted(Ignored.ALIVE), print)
    assert taken.take(b"0", 9) == []
    assert taken.heard == "market"
    assert dict(taken.ignored) == {"alive": 1}


def test_what_happened_before_the_connection_is_history():
    taken = Intake(Scripted([trade(1), MARK], [trade(1)]), print)
    later_ms = trade(1).ts_event_ms + 1
    assert taken.take(b"0", 9, later_ms) == [MARK]
    assert taken.take(b"1", 9, later_ms) == []
    assert taken.heard == "market"
    assert dict(taken.ignored) == {"history": 1}
    assert taken.history == 2, "also beside what is news"


def test_kinds_of_other_streams_are_named_until_there_are_too_many():
    taken = Intake(Scripted(*(OtherStream(f"kind{n}") for n in range(200))), print)
    for number in range(200):
        taken.take(str(number).encode(), 9)
    assert taken.ignored["other_stream:kind7"] == 1
    assert taken.ignored["other_stream"] == 100
    assert len(taken.ignored) == 101


def test_what_came_before_is_dropped_but_marks_are_not():
    taken = Intake(Scripted([trade(1), MARK], [trade(1), trade(2), MARK]), print)
    assert taken.take(b"0", 9) == [trade(1), MARK]
    assert taken.take(b"1", 9) == [trade(2), MARK]
    assert (taken.events, taken.duplicates) == (2, 1)


def test_open_interest_takes_no_trade_s_place_among_those_remembered(monkeypatch):
    monkeypatch.setattr(intake, "_REMEMBERED", 3)
    told = sample(OpenInterest)
    taken = Intake(Scripted([trade(1)], [told] * 9), print)
    assert taken.take(b"0", 9) == [trade(1)]
    assert taken.take(b"1", 9, told.ts_event_ms + 1) == [told] * 9
    assert taken.take(b"0", 9) == []
    assert (taken.events, taken.duplicates) == (1, 1)


def test_repeats_are_known_over_two_generations_and_no_longer(monkeypatch):
    monkeypatch.setattr(intake, "_REMEMBERED", 3)
    taken = Intake(Scripted(*([trade(number)] for number in range(10))), print)
    for number in range(6):
        assert taken.take(str(number).encode(), 9)
    assert not taken.take(b"5", 9)
    assert not taken.take(b"3", 9)
    assert taken.take(b"0", 9), "forgotten"
