"""The PRD's zones, their anchor, and the warnings near them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.events import Bar, Evidence, Kline, OpenInterest, Signal, ZoneMap
from foreshock_schemas.testing import sample
from predictor_service.domain import baseline
from predictor_service.domain.prediction import Prediction

HOUR_MS = 3_600_000
T0 = 1_790_000_000_000 // HOUR_MS * HOUR_MS
PLACE = Evidence(topic="t", partition=0, offset=1, event_id="e")


def reading(minute=0.0, mark=80_000.0, oi_usd=2e9, funding=0.0001, exchange="binance", hours=8.0):
    at = T0 + int(minute * 60_000)
    return sample(
        OpenInterest,
        event_id=f"{exchange}:BTCUSDT:oi:{at}",
        ts_event_ms=at,
        ts_recv_ms=at + 50,
        exchange=exchange,
        coin="BTC",
        open_interest_coins=oi_usd / mark,
        open_interest_usd=oi_usd,
        mark_price=mark,
        funding_rate=funding,
        funding_interval_h=hours,
    )


def bar(minute, mark=None, close=None):
    at = T0 + int(minute * 60_000)
    return sample(
        Bar,
        event_id=f"binance:BTC:bar:{at}",
        ts_event_ms=at,
        ts_recv_ms=at + 50,
        exchange="binance",
        coin="BTC",
        close=close,
        mark_price=mark,
    )


def hourly(end_hours, close):
    end = T0 + int(end_hours * HOUR_MS)
    return sample(
        Kline,
        event_id=f"binance:BTCUSDT:1h:{end}",
        ts_event_ms=end,
        exchange="binance",
        coin="BTC",
        interval="1h",
        close=close,
    )


def play(*events):
    prediction = Prediction()
    return [out for event in events for out in prediction.on_event(event, PLACE)]


def warnings(*events):
    return [out for out in play(*events) if isinstance(out, Signal)]


def inputs(**changes):
    fields = {
        "price": 100.0,
        "anchor_price": 100.0,
        "open_interest_usd": 1e9,
        "funding_rate_8h": 0.0,
    }
    return baseline.Inputs(**fields | changes)


@pytest.mark.parametrize(
    ("funding", "leverage"), [(0.0, 25), (0.0005, 15), (-0.0005, 15), (0.00075, 10), (0.01, 10)]
)
def test_leverage_falls_with_the_size_of_funding(funding, leverage):
    assert baseline.estimated_leverage(funding) == pytest.approx(leverage)


def test_prices_and_sizes_are_the_prd_s():
    found = {(z.position, z.leverage): z for z in baseline.zones(inputs(funding_rate_8h=0.0001))}
    assert len(found) == 8
    assert found["long", 10].price == pytest.approx(100 * (1 - 1 / 10 - 0.001))
    assert found["short", 25].price == pytest.approx(100 * (1 + 1 / 25 + 0.001))
    assert found["long", 20].expected_usd == pytest.approx(1e9 * 0.6 * 0.2)
    assert found["short", 20].expected_usd == pytest.approx(1e9 * 0.4 * 0.2)
    assert found["long", 25].confidence == 0.7


def test_only_realistic_leverages_are_drawn():
    crowded = {z.leverage for z in baseline.zones(inputs(funding_rate_8h=0.001))}
    assert crowded == {10, 15}


def test_small_zones_are_left_out():
    assert baseline.zones(inputs(open_interest_usd=1_000_000 / 0.6 / 0.2)) == ()


@given(
    st.floats(1e-6, 1e6),
    st.floats(0.5, 2.0),
    st.floats(1e6, 1e11),
    st.floats(-0.01, 0.01),
)
def test_zones_lie_on_their_side_of_the_anchor_nearest_first(anchor, moved, oi, funding):
    found = baseline.zones(
        inputs(
            price=anchor * moved, anchor_price=anchor, open_interest_usd=oi, funding_rate_8h=funding
        )
    )
    assert [z.distance_pct for z in found] == sorted(z.distance_pct for z in found)
    for zone in found:
        assert (zone.price < anchor) == (zone.position == "long")
        assert zone.price_low < zone.price < zone.price_high
        assert zone.expected_usd > 1_000_000


def test_the_anchor_is_the_first_mark_of_the_hour_and_stays():
    maps = play(reading(0.1, mark=80_000), reading(30, mark=70_000), reading(61, mark=71_000))
    assert [m.anchor_price for m in maps] == [80_000, 80_000, 71_000]
    assert [m.anchor_ms for m in maps] == [T0, T0, T0 + HOUR_MS]


def test_candles_change_no_anchor_whenever_they_are_read():
    readings = [reading(0.1, mark=80_000), reading(30, mark=70_000)]
    for place in range(3):
        maps = play(*readings[:place], hourly(0, 81_000), *readings[place:])
        assert maps == play(*readings)


def test_open_interest_is_summed_over_fresh_exchanges_and_funding_put_on_8_hours():
    made = play(
        reading(0, oi_usd=9e9, exchange="gone"),
        reading(10, oi_usd=3e9, exchange="okx", funding=0.0002, hours=8),
        reading(10, oi_usd=1e9, exchange="binance", funding=0.0002, hours=4),
    )[-1]
    assert made.open_interest_usd == 4e9
    assert made.funding_rate_8h == pytest.approx((3 * 0.0002 + 1 * 0.0004) / 4)


def test_a_price_near_a_major_zone_is_warned_of_once():
    near = 80_000 * (1 - 1 / 25 - 0.001) * 1.015
    (warning,) = warnings(reading(0), bar(2, mark=near), bar(3, mark=near))
    assert (warning.kind, warning.position, warning.direction) == ("zone_warning", "long", "down")
    assert warning.value == pytest.approx(2e9 * 0.6 * 0.2)
    assert [e.event_id for e in warning.evidence] == ["e", "e"]
    assert "1.5 %" in warning.headline


def test_the_next_hour_warns_again():
    near = 80_000 * (1 - 1 / 25 - 0.001) * 1.015
    again = 80_000.0
    told = warnings(reading(0), bar(2, mark=near), reading(60, mark=again), bar(62, mark=near))
    assert len(told) == 2
    assert told[0].event_id != told[1].event_id


def test_a_far_price_a_small_zone_or_an_unsettled_map_gives_no_warning():
    near = 80_000 * (1 - 1 / 25 - 0.001) * 1.015
    assert not warnings(reading(0), bar(2, mark=80_000))
    assert not warnings(reading(0, oi_usd=5e7), bar(2, mark=near))
    assert not warnings(reading(0), bar(0.4, mark=near))
    assert not warnings(bar(2, mark=near))


def test_the_last_trade_stands_in_for_a_missing_mark():
    near = 80_000 * (1 - 1 / 25 - 0.001) * 1.015
    assert warnings(reading(0), bar(2, close=near))
    assert not warnings(reading(0), bar(2))


@given(
    st.lists(
        st.one_of(
            st.builds(reading, st.floats(0, 180), st.floats(60_000, 90_000), st.floats(1e7, 5e9)),
            st.builds(bar, st.floats(0, 180), st.floats(60_000, 90_000)),
        ),
        max_size=40,
    )
)
def test_a_replay_gives_the_same(events):
    assert play(*events) == play(*events)
    assert all(isinstance(out, (Signal, ZoneMap)) for out in play(*events))
