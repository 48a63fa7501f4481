"""What is sent, when, and how often: ledger, waiting alerts, pacing."""

from collections.abc import Sized
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Alert
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import DELIVERIES
from telegram_gateway.domain.ledger import UNANSWERED_LIMIT, Ledger, Todo
from telegram_gateway.domain.pacing import BURST, OVERALL_BURST, Pacing
from telegram_gateway.domain.waiting import (
    CAPACITY,
    GATHER_AFTER,
    GATHER_S,
    NEWS_A_MESSAGE,
    TITLES_A_MESSAGE,
    Waiting,
)

NOW = 1_790_000_000_000


def alert(
    number=1,
    *,
    chat_id=7,
    revision=1,
    severity="warning",
    expires_ms=NOW + 600_000,
    state=None,
    kind="cascade",
    ts_event_ms=NOW,
):
    return sample(
        Alert,
        event_id=f"alert:{number}:{revision}",
        ts_event_ms=ts_event_ms,
        ts_recv_ms=NOW + 5,
        incident_id=f"incident:{number}",
        revision=revision,
        chat_id=chat_id,
        kind=kind,
        severity=severity,
        title="BTC",
        lines=("what happened",),
        expires_ms=expires_ms,
        incident_state=state,
    )


def write(ledger, told, *states):
    for state in states:
        ledger.apply(ledger.entry(told, state, NOW + 100, possible_repeat=False))


@pytest.mark.parametrize(
    ("states", "todo"),
    [
        ([], Todo.SEND),
        (["SENDING"], Todo.SEND_AS_REPEAT),
        (["SENDING", "UNKNOWN"], Todo.SEND_AS_REPEAT),
        (["SENDING", "UNKNOWN"] * UNANSWERED_LIMIT, Todo.SKIP),
        (["SENDING", "SENT"], Todo.SKIP),
        (["SENDING", "FAILED"], Todo.SKIP),
    ],
)
def test_what_to_do_follows_from_what_became_of_it(states, todo):
    ledger = Ledger()
    write(ledger, alert(), *states)
    assert ledger.todo(alert()) is todo


def test_a_newer_revision_is_news_and_an_older_one_is_not():
    ledger = Ledger()
    write(ledger, alert(revision=2), "SENDING", "SENT")
    assert ledger.todo(alert(revision=3)) is Todo.SEND
    assert ledger.todo(alert(revision=1)) is Todo.SKIP


def test_every_attempt_is_counted_and_only_what_is_sent_has_a_latency():
    ledger = Ledger()
    write(ledger, alert(), "SENDING", "UNKNOWN")
    second = ledger.entry(alert(), "SENDING", NOW + 100, possible_repeat=True)
    assert (second.attempt, second.possible_repeat, second.latency_ms) == (2, True, None)
    ledger.apply(second)
    sent = ledger.entry(alert(), "SENT", NOW + 105, possible_repeat=True, message_id=3)
    assert (sent.attempt, sent.latency_ms, sent.message_id) == (2, 100, 3)
    ledger.apply(sent)
    assert ledger.last_sent(7) == sent
    assert ledger.last_sent(8) is None


def test_what_telegram_has_not_taken_is_no_attempt():
    ledger = Ledger()
    write(ledger, alert(), "SENDING", "SENDING", "SENDING", "UNKNOWN")
    assert ledger.todo(alert()) is Todo.SEND_AS_REPEAT
    assert ledger.entry(alert(), "SENDING", NOW, possible_repeat=True).attempt == 2


def test_an_older_revision_written_later_changes_nothing():
    ledger = Ledger()
    write(ledger, alert(revision=2), "SENDING", "SENT")
    write(ledger, alert(revision=1), "SENDING", "SENT")
    assert ledger.todo(alert(revision=2)) is Todo.SKIP


def test_of_an_incident_only_the_newest_revision_waits():
    waiting = Waiting()
    waiting.put(alert(revision=2), possible_repeat=False)
    waiting.put(alert(revision=1), possible_repeat=False)
    waiting.put(alert(revision=3), possible_repeat=False)
    assert [each.revision for each in waiting.next(NOW).alerts] == [3]
    waiting.remove(alert(revision=2))
    assert len(waiting) == 1
    waiting.remove(alert(revision=3))
    assert not len(waiting)


def test_the_ledgers_key_is_its_topics():
    ledger = Ledger()
    write(ledger, alert(1), "SENDING")
    row = ledger.entry(alert(1), "SENT", NOW, possible_repeat=False)
    assert DELIVERIES.key_of(row) == "incident:1:7"


def test_the_ledger_forgets_the_oldest_only():
    ledger = Ledger()
    for number in range(20_001):
        write(ledger, alert(number), "SENDING")
    assert ledger.todo(alert(0)) is Todo.SEND
    assert ledger.todo(alert(1)) is Todo.SEND_AS_REPEAT


def test_one_alert_goes_alone_and_several_together_the_most_severe_first():
    waiting = Waiting()
    assert waiting.next(NOW) is None
    waiting.put(alert(1, severity="info"), possible_repeat=False)
    assert waiting.next(NOW).alerts == (alert(1, severity="info"),)
    waiting.put(alert(2, severity="critical"), possible_repeat=False)
    waiting.put(alert(3, severity="warning"), possible_repeat=False)
    letter = waiting.next(NOW)
    assert [each.severity for each in letter.alerts] == ["critical", "warning", "info"]
    assert not letter.history


def test_what_is_history_goes_last_as_a_digest():
    waiting = Waiting()
    waiting.put(alert(1, expires_ms=NOW - 1), possible_repeat=False)
    waiting.put(alert(2), possible_repeat=False)
    first = waiting.next(NOW)
    assert first.alerts == (alert(2),)
    waiting.remove(alert(2))
    second = waiting.next(NOW)
    assert (second.history, [each.event_id for each in second.alerts]) == (True, ["alert:1:1"])


def test_a_letter_that_may_have_arrived_is_marked_until_its_alerts_are_gone():
    waiting = Waiting()
    waiting.put(alert(1), possible_repeat=False)
    waiting.mark(waiting.next(NOW))
    assert waiting.next(NOW).possible_repeat
    waiting.remove(alert(1))
    waiting.put(alert(1), possible_repeat=False)
    assert not waiting.next(NOW).possible_repeat


@pytest.mark.parametrize(
    ("states", "quiet"),
    [
        (["BUILDING"], False),
        (["CONFIRMED"], False),
        (["FADING"], True),
        (["FADING", "ENDED"], True),
        (["CONFIRMED", "FADING"], False),
        (["CONFIRMED", "FADING", "ENDED"], False),
        ([None], False),
    ],
)
def test_an_end_makes_no_sound_unless_nobody_heard_the_rest(states, quiet):
    waiting = Waiting()
    for revision, state in enumerate(states, 1):
        waiting.put(alert(revision=revision, state=state), possible_repeat=False)
    assert waiting.next(NOW).quiet is quiet


def test_among_others_an_end_does_not_take_their_sound():
    waiting = Waiting()
    waiting.put(alert(1, state="ENDED"), possible_repeat=False)
    waiting.put(alert(2), possible_repeat=False)
    assert not waiting.next(NOW).quiet


def test_revisions_that_are_gone_leave_nothing_behind():
    waiting = Waiting()
    for revision in range(1, 50):
        waiting.put(alert(revision=revision), possible_repeat=True)
        letter = waiting.next(NOW)
        waiting.put(alert(revision=revision + 1), possible_repeat=False)
        waiting.mark(letter)
    kept = (each for each in vars(waiting).values() if isinstance(each, Sized))
    assert sum(map(len, kept)) == 1
    assert not waiting.next(NOW).possible_repeat


def test_the_oldest_gives_way_when_too_many_wait():
    waiting = Waiting()
    gone = [waiting.put(alert(n), possible_repeat=True) for n in range(CAPACITY + 1)]
    assert gone == [None] * CAPACITY + [alert(0)]
    assert len(waiting) == CAPACITY


@given(
    st.lists(
        st.tuples(st.sampled_from(["info", "warning", "critical"]), st.booleans()), max_size=60
    )
)
def test_every_alert_that_waits_is_sent_exactly_once(given_alerts):
    waiting = Waiting()
    for number, (severity, is_news) in enumerate(given_alerts):
        expires_ms = NOW + 1 if is_news else NOW - 1
        waiting.put(alert(number, severity=severity, expires_ms=expires_ms), possible_repeat=False)
    sent = []
    while letter := waiting.next(NOW):
        assert len(letter.alerts) <= (TITLES_A_MESSAGE if letter.history else NEWS_A_MESSAGE)
        sent += [each.event_id for each in letter.alerts]
        for each in letter.alerts:
            waiting.remove(each)
    assert sorted(sent) == sorted({alert(n).event_id for n in range(len(given_alerts))})


def tell(waiting, now_s, *alerts):
    """Put alerts in, and return the message that goes at once; `None` if none does."""
    for each in alerts:
        waiting.put(each, possible_repeat=False)
    if waiting.wait_s(now_s) or not waiting:
        return None
    letter = waiting.next(NOW)
    waiting.done(letter, now_s)
    return [each.event_id for each in letter.alerts]


def test_the_first_are_told_at_once_and_the_rest_together():
    waiting = Waiting()
    told = [tell(waiting, number / 10, alert(number)) for number in range(6)]
    assert told == [["alert:0:1"], ["alert:1:1"], ["alert:2:1"], None, None, None]
    assert waiting.wait_s(0.5) == pytest.approx(GATHER_S - 0.5)
    assert tell(waiting, GATHER_S) == ["alert:3:1", "alert:4:1", "alert:5:1"]
    assert tell(waiting, 100.0, alert(7)) == ["alert:7:1"], "a chat left alone is told at once"


def test_a_market_wide_alert_goes_at_once_and_takes_along_what_waits():
    waiting = Waiting()
    for number in range(GATHER_AFTER):
        tell(waiting, 0.0, alert(number))
    assert tell(waiting, 0.1, alert(10, severity="critical")) is None
    market = alert(11, kind="market_wide")
    assert tell(waiting, 0.2, market) == ["alert:11:1", "alert:10:1"]


def test_what_follows_a_market_wide_alert_is_told_together():
    waiting = Waiting()
    assert tell(waiting, 0.0, alert(1, kind="market_wide"))
    assert tell(waiting, 0.1, alert(2)) is None
    assert tell(waiting, 1.0, alert(3)) is None
    assert tell(waiting, GATHER_S) == ["alert:2:1", "alert:3:1"]
    assert waiting.wait_s(GATHER_S) == pytest.approx(GATHER_S)


def test_a_full_message_goes_at_once_and_what_it_leaves_waits_no_longer_for_it():
    waiting = Waiting()
    for number in range(GATHER_AFTER):
        tell(waiting, 0.0, alert(number))
    for number in range(10, 10 + NEWS_A_MESSAGE - 1):
        assert tell(waiting, 1.0, alert(number)) is None
    assert len(tell(waiting, 1.0, alert(20), alert(21))) == NEWS_A_MESSAGE
    assert waiting.wait_s(1.0) == pytest.approx(GATHER_S - 1.0)


def test_of_the_same_severity_the_earlier_is_told_first():
    waiting = Waiting()
    late, early = alert(1, ts_event_ms=NOW + 1), alert(2)
    assert tell(waiting, 0.0, late, early) == [early.event_id, late.event_id]


SEVERITIES = ["critical", "warning", "info"]
KINDS = st.sampled_from(["cascade", "liquidation", "market_wide"])
PAUSES_MS = st.integers(0, 4_000) | st.just(0)


@given(st.lists(st.tuples(PAUSES_MS, st.sampled_from(SEVERITIES), KINDS), max_size=60))
def test_in_a_flood_every_alert_is_told_once_in_time_and_in_order(given_alerts):
    waiting, at_ms, came_ms, told = Waiting(), 0, {}, []

    def tell_until(end_ms):
        nonlocal at_ms
        while waiting and at_ms + (wait_ms := 1000 * waiting.wait_s(at_ms / 1000)) <= end_ms:
            at_ms += wait_ms
            letter = waiting.next(NOW)
            waiting.done(letter, at_ms / 1000)
            told.append((at_ms, letter.alerts))
        at_ms = end_ms

    for number, (pause_ms, severity, kind) in enumerate(given_alerts):
        tell_until(at_ms + pause_ms)
        each = alert(number, severity=severity, kind=kind, ts_event_ms=NOW + int(at_ms))
        came_ms[each.event_id] = at_ms
        waiting.put(each, possible_repeat=False)
    tell_until(at_ms + 10_000)
    assert sorted(each.event_id for _, alerts in told for each in alerts) == sorted(came_ms)
    ordinary = []
    for sent_ms, alerts in told:
        assert len(alerts) <= NEWS_A_MESSAGE
        order = [
            (each.kind != "market_wide", SEVERITIES.index(each.severity), each.ts_event_ms)
            for each in alerts
        ]
        assert order == sorted(order)
        waited_ms = [sent_ms - came_ms[each.event_id] for each in alerts]
        assert max(waited_ms) <= 1000 * GATHER_S + 1
        assert alerts[0].kind != "market_wide" or waited_ms[0] == 0
        if alerts[0].kind != "market_wide" and len(alerts) < NEWS_A_MESSAGE:
            ordinary.append(sent_ms)
    for first, later in pairwise(ordinary[::GATHER_AFTER]):
        assert later - first >= 1000 * GATHER_S - 1


def test_a_chat_gets_a_burst_and_then_one_a_second():
    pacing = Pacing()
    assert [pacing.take(1, 0.0) for _ in range(BURST)] == [0.0] * BURST
    assert pacing.take(1, 0.0) == pytest.approx(1.0)
    assert pacing.take(1, 1.0) == 0.0


def test_a_frozen_chat_leaves_the_others_alone():
    pacing = Pacing()
    pacing.freeze(1, 30.0)
    assert pacing.take(1, 0.0) == pytest.approx(30.0)
    assert pacing.take(2, 0.0) == 0.0
    assert pacing.take(1, 30.0) == 0.0


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 0.5)), max_size=300))
def test_the_limits_of_all_chats_and_of_each_are_never_exceeded(asked):
    pacing, now_s, turns = Pacing(), 0.0, []
    for chat_id, pause_s in asked:
        now_s += pause_s
        if pacing.take(chat_id, now_s) == 0:
            turns.append((now_s, chat_id))
    for start_s, chat_id in turns:
        later = [(at, chat) for at, chat in turns if start_s <= at < start_s + 1]
        assert len(later) <= OVERALL_BURST + 25
        assert sum(chat == chat_id for _, chat in later) <= BURST + 1
