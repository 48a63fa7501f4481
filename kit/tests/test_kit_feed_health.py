"""What is told of a channel, and when it is worth a signal."""

import pytest

from foreshock_kit.feed_health import FeedHealthTeller
from foreshock_kit.testing import FakeClock, MemoryPublisher
from foreshock_schemas.topics import FEED_HEALTH, MARKET, SIGNALS

NOW = 1_790_000_000_000


@pytest.fixture
def told():
    return MemoryPublisher()


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def teller(told, clock):
    return FeedHealthTeller(clock, "okx", "liquidations", told)


async def test_a_state_is_told_when_it_changes(teller, told, clock):
    for state in ("LIVE", "LIVE", "QUIET", "LIVE"):
        await teller.say(state, f"because {state}")
        clock.advance(10)
    assert not told.on(SIGNALS)
    states = [(event.state, event.since_ms - NOW) for event in told.on(FEED_HEALTH)]
    assert states == [("LIVE", 0), ("QUIET", 20_000), ("LIVE", 30_000)]


async def test_a_mute_feed_is_a_signal_at_once_and_once_until_it_is_believed_again(
    teller, told, clock
):
    await teller.say("LIVE", "all is well")
    for _ in range(3):
        await teller.say("MUTE", "silent for 11 min while the others had 43 clusters")
        clock.advance(60)
    (signal,) = told.on(SIGNALS)
    assert (signal.kind, signal.coin, signal.exchanges) == ("feed", MARKET, ("okx",))
    assert signal.headline.startswith("okx, liquidations: MUTE (silent for 11 min")
    await teller.say("PARTIAL", "one socket is lost")
    await teller.say("MUTE", "silent")
    assert len(told.on(SIGNALS)) == 1, "it was not believed in between"
    await teller.say("LIVE", "it prints")
    await teller.say("MUTE", "silent again")
    first, back, second = told.on(SIGNALS)
    assert (back.severity, back.headline) == ("info", "okx, liquidations: again LIVE (it prints)")
    assert len({first.event_id, back.event_id, second.event_id}) == 3


async def test_a_lost_connection_is_a_signal_when_it_lasts(teller, told, clock):
    await teller.say("DOWN", "no route")
    clock.advance(119)
    await teller.say("DOWN", "no route")
    assert not told.on(SIGNALS)
    clock.advance(2)
    await teller.say("DOWN", "no route")
    assert "DOWN (no route)" in told.on(SIGNALS)[0].headline


async def test_nothing_is_told_of_the_stop_of_what_never_began(teller, told):
    await teller.stopped()
    assert not told.records


async def test_what_is_lacking_is_a_fact_beside_the_state(teller, told):
    await teller.say("LIVE", "all is well")
    await teller.gap("3 trades did not come", NOW - 900, NOW, symbol="X", missing=3, refilled=2)
    fact = told.on(FEED_HEALTH)[-1]
    assert (fact.state, fact.symbol, fact.missing, fact.refilled) == ("LIVE", "X", 3, 2)
    assert (fact.gap_start_ms, fact.gap_end_ms) == (NOW - 900, NOW)
    assert len(told.on(FEED_HEALTH)) == 2
