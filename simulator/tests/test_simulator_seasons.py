"""The calendar: busy hours, quiet weekends, bursts, and a mean of one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from foreshock_simulator.market.seasons import Calendar, activity, bursts

FRIDAY = datetime(2026, 6, 5, tzinfo=UTC)


def ms(*, days=0, hours=0, minutes=0):
    at = FRIDAY + timedelta(days=days, hours=hours, minutes=minutes)
    return int(at.timestamp() * 1000)


def test_saturday_and_sunday_are_quiet_and_no_other_day():
    days = [float(activity(ms(days=day, hours=12))) for day in range(7)]
    assert days[1] == days[2] == pytest.approx(0.6 * days[0])
    assert {days[0], *days[3:]} == {days[0]}


def test_a_weekday_is_usual_on_average_and_its_hours_are_not():
    hours = activity([ms(minutes=minute) for minute in range(1440)])
    assert hours.mean() == pytest.approx(1, abs=0.02)
    assert hours.max() > 2.5 * hours.min()


def test_the_full_minute_of_an_hour_bursts_most():
    factors = bursts([ms(minutes=minute) for minute in range(60)])
    assert factors.mean() == pytest.approx(1)
    assert factors.argmax() == 0
    assert factors[15] > factors[5] > factors[7]
    assert set(np.flatnonzero(factors > factors[7])) == set(range(0, 60, 5))


def test_a_calendar_says_the_same_for_a_moment():
    at = ms(hours=13, minutes=15)
    season = Calendar().at(at + 12_345)
    assert season.activity == float(activity(at))
    assert season.volume == float(activity(at) * bursts(at))
