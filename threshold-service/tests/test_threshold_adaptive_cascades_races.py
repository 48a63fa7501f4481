"""Cascades as incidents: no race between topics, restart or course of prints upsets them."""

from itertools import pairwise
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from making_prints import BP, ORDER, T0, Around, liquidation, run, wave

from threshold_service.domain.adaptive.cascades import Cascades
from threshold_service.domain.adaptive.incident import HISTORY
from threshold_service.domain.surroundings import SETTLED_MS

PRINTS = st.lists(
    st.tuples(
        st.floats(0.01, 20) | st.sampled_from([0.02, 45.0, 120.0]),
        st.floats(0.02, 6),
        st.sampled_from(["long", "long", "short"]),
        st.sampled_from(["bybit", "okx"]),
        st.integers(0, 3_000),
    ),
    min_size=30,
    max_size=120,
)


def course(steps):
    """Prints in the order of their receipt."""
    events, second = [], 0.0
    for number, (gap, size, position, exchange, delay_ms) in enumerate(steps):
        second += gap / 4
        event = liquidation(second, size * BP, position, exchange, delay_ms=delay_ms)
        events.append(msgspec.structs.replace(event, event_id=str(number)))
    return sorted(events, key=lambda each: each.ts_recv_ms)


@given(PRINTS)
def test_states_only_go_forward(steps):
    told = {}
    for finding in run(course(steps)):
        told.setdefault(finding.incident_id, []).append(ORDER.index(finding.incident_state))
    assert all(before < after for each in told.values() for before, after in pairwise(each))
    assert all(each[-1] == ORDER.index("ENDED") for each in told.values())


@given(PRINTS, st.integers(0, 2**32))
def test_a_race_between_bars_and_prints_changes_nothing(steps, seed):
    """Either topic may be read up to 30 s ahead of the other."""
    rng, prints = Random(seed), course(steps)
    end = prints[-1].ts_recv_ms + 300_000
    bars = list(range(T0, end, 1_000))

    def told(lead_ms):
        cascades, around = Cascades(), Around()
        of_prints, of_bars, read = [], [], 0
        for bar in bars:
            until_ms = bar + lead_ms()
            while read < len(prints) and prints[read].ts_recv_ms < until_ms:
                of_prints.append(cascades.on_liquidation(prints[read], read, around))
                read += 1
            of_bars.append(cascades.on_time(bar, bar, around))
        return of_prints, of_bars

    in_order = told(lambda: 0)
    assert told(lambda: rng.randint(-SETTLED_MS + 1_000, 60_000)) == in_order


@given(PRINTS, st.integers(0, 119))
def test_a_snapshot_goes_on_identically(steps, cut):
    events, around = course(steps), Around()
    whole, found = Cascades(), Cascades()
    before = [run_one(found, n, each, around) for n, each in enumerate(events[:cut])]
    found = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Cascades)
    after = [run_one(found, n, each, around) for n, each in enumerate(events[cut:], cut)]
    assert before + after == [run_one(whole, n, each, around) for n, each in enumerate(events)]
    assert msgspec.msgpack.encode(found) == msgspec.msgpack.encode(whole)


def run_one(cascades, offset, event, around):
    return (
        cascades.on_time(event.ts_recv_ms, offset, around),
        cascades.on_liquidation(event, offset, around),
    )


def test_state_is_bounded():
    cascades = Cascades()
    for number, event in enumerate(wave(0, 5_000, BP / 20, every=1.5)):
        cascades.on_liquidation(event, number, Around())
    assert len(cascades.long.versions.kept) <= HISTORY
    assert len(msgspec.msgpack.encode(cascades)) < 150_000
