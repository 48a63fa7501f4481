from itertools import permutations

from evaluation.lines import Alert, Happening
from evaluation.matching import TOLERANCE_S, matches
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.testing import sample

LATE_MS = 1000 * TOLERANCE_S["volume"]


def alert(at_ms: int, detector: str = "volume", **fields: object) -> Alert:
    return sample(Alert, detector=detector, ts_event_ms=at_ms, ts_recv_ms=at_ms, **fields)


def event(start_ms: int, end_ms: int, detector: str = "volume", **fields: object) -> Happening:
    return sample(Happening, detector=detector, ts_event_ms=start_ms, end_ms=end_ms, **fields)


def test_an_alert_within_the_range_finds_its_event():
    (match,) = matches([event(1000, 5000)], [alert(4000)])

    assert match.delay_s == 3


def test_a_second_alert_on_the_same_event_finds_nothing():
    assert len(matches([event(1000, 5000)], [alert(2000), alert(3000)])) == 1


def test_one_alert_is_for_one_event_even_where_two_overlap():
    both = [event(1000, 5000), event(2000, 6000)]

    assert len(matches(both, [alert(3000)])) == 1
    assert len(matches(both, [alert(3000), alert(3500)])) == 2


def test_an_alert_counts_until_the_tolerance_is_over_and_not_before_the_onset():
    one = [event(1000, 5000)]

    assert matches(one, [alert(5000 + LATE_MS)])
    assert not matches(one, [alert(5001 + LATE_MS)])
    assert not matches(one, [alert(999)])


def test_a_cascade_may_be_told_by_what_sets_it_off():
    one = [event(90_000, 95_000, detector="cascade", position="long")]

    (match,) = matches(one, [alert(30_000, detector="cascade", position="long")])

    assert match.delay_s == -60
    assert not matches(one, [alert(29_999, detector="cascade", position="long")])


def test_what_is_of_another_coin_run_or_detector_does_not_match():
    one = [event(1000, 5000)]

    assert not matches(one, [alert(2000, coin="other")])
    assert not matches(one, [alert(2000, run="other")])
    assert not matches(one, [alert(2000, detector="cascade")])


def test_a_cascade_is_found_by_an_alert_of_its_side():
    one = [event(1000, 5000, detector="cascade", position="long")]

    assert not matches(one, [alert(2000, detector="cascade", position="short")])
    assert matches(one, [alert(2000, detector="cascade", position="long")])


def test_what_is_still_to_come_is_what_was_liquidated_after_the_alert():
    one = event(1000, 9000, course=((0.0, 10.0), (2.0, 20.0), (5.0, 70.0)))

    (match,) = matches([one], [alert(3500)])

    assert match.usd_still_to_come == 0.7


starts = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), max_size=5)


@given(starts, st.lists(st.integers(0, 16), max_size=5))
def test_no_other_choice_finds_more_events(ranges: list[tuple[int, int]], times: list[int]):
    step_ms = LATE_MS  # an event covers the steps from its start to one after its end
    events = [event(a * step_ms, (a + b) * step_ms) for a, b in ranges]
    alerts = [alert(at * step_ms) for at in times]

    def hits(chosen: tuple[int, ...]) -> int:
        pairs = zip(ranges, chosen, strict=False)
        return sum(at >= 0 and a <= times[at] <= a + b + 1 for (a, b), at in pairs)

    padded = [*range(len(times)), *[-1] * len(ranges)]
    best = max(hits(chosen) for chosen in set(permutations(padded, len(ranges))))

    assert len(matches(events, alerts)) == best
