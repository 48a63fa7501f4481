"""What is published of a feed that flaps, and how socket and market are joined."""

from hypothesis import given
from hypothesis import strategies as st

from foreshock_exchanges.truth.hysteresis import HOLD_MS, HOUR_MS, Steady
from foreshock_exchanges.truth.verdict import Connection, Verdict, joined

STATES = ["LIVE", "QUIET", "UNKNOWN", "PARTIAL", "STALE", "MUTE", "DOWN"]


def told(steady, *looks):
    return [steady.settle(Verdict(state, "why", ms), ms).state for ms, state in looks]


def test_bad_news_and_the_first_good_news_are_told_at_once():
    looks = [(0, "LIVE"), (1, "MUTE"), (2, "DOWN"), (3, "MUTE"), (4, "LIVE")]
    assert told(Steady(), *looks) == ["LIVE", "MUTE", "DOWN", "MUTE", "LIVE"]


def test_a_feed_that_flaps_is_shown_at_its_worst_until_it_has_held():
    steady = Steady()
    told(steady, (0, "LIVE"), (1, "MUTE"), (2, "LIVE"), (3, "MUTE"), (4, "LIVE"), (5, "MUTE"))
    assert told(steady, (6, "LIVE"), (7, "MUTE"), (8, "LIVE")) == ["MUTE"] * 3
    assert told(steady, (7 + HOLD_MS, "LIVE"), (8 + HOLD_MS, "LIVE")) == ["MUTE", "LIVE"]


def test_down_is_left_at_once_however_often_it_comes():
    looks = [(ms, ("LIVE", "DOWN")[ms % 2]) for ms in range(20)]
    assert told(Steady(), *looks) == [state for _, state in looks]


def test_a_state_keeps_its_begin_while_its_reason_goes_on():
    steady = Steady()
    steady.settle(Verdict("MUTE", "for 5 min", 10), 100)
    assert steady.settle(Verdict("MUTE", "for 6 min", 20), 200) == Verdict("MUTE", "for 6 min", 10)


@given(st.lists(st.integers(1, 300_000), min_size=50, max_size=300), st.sampled_from(STATES[1:-1]))
def test_two_states_but_down_change_12_times_an_hour_at_most(pauses, bad):
    steady, now_ms, changes, before = Steady(), 0, [], None
    for number, pause in enumerate(pauses):
        now_ms += pause
        state = steady.settle(Verdict(("LIVE", bad)[number % 2], "", now_ms), now_ms).state
        if before not in {None, state}:
            changes.append(now_ms)
        before = state
    for start in changes:
        assert sum(start <= each < start + HOUR_MS for each in changes) <= 12


@given(st.lists(st.tuples(st.integers(1, 900_000), st.sampled_from(STATES)), min_size=1))
def test_what_is_published_is_never_better_than_what_is_seen(looks):
    steady, now_ms = Steady(), 0
    for pause, state in looks:
        now_ms += pause
        shown = steady.settle(Verdict(state, "", now_ms), now_ms).state
        assert STATES.index(shown) >= STATES.index(state)


def test_the_worse_of_socket_and_market_is_the_state():
    def state(link, seen):
        return joined(Connection(link, "socket", 1), Verdict(seen, "market", 2)).state

    assert [state("up", seen) for seen in STATES] == STATES
    assert {state("down", seen) for seen in STATES} == {"DOWN"}
    assert [state("partial", seen) for seen in STATES] == ["PARTIAL"] * 4 + STATES[4:]
