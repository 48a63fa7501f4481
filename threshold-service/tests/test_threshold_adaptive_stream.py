"""Four weeks of a made-up market: what is found of what was planted, and at what price.

Minutes vary as an AR(.3) with t4 innovations on a season of hours, weekends and full hours, half
minutes as they like; on the 13th day the level rises by 0.8 (x2.2). Three spikes a day are planted.
"""

import math
import random
from itertools import pairwise

import msgspec
import pytest
from fake_surroundings import FakeSurroundings

from foreshock_schemas.events import Bar
from foreshock_schemas.testing import sample
from threshold_service.domain.adaptive.volume import Volume
from threshold_service.domain.sessions import MULTIPLIERS, session_at

DAYS = 28
SETTLED = 3 * 2880
SHIFT = 12 * 2880
PER_DAY = 3.0
BAR_MS = 30_000
T0 = 1_789_948_800_000  # a Monday
DAILY_USD = 1e9


AROUND = FakeSurroundings(
    {"volume_spike": PER_DAY},
    session_multiplier=1.0,
    volume_15m_usd=DAILY_USD / 96 * 3,
    avg_daily_volume_usd=DAILY_USD,
)


def season(minute):
    day, hour = minute // 1440 % 7, minute % 1440 / 60
    wave = 1 + 0.45 * math.sin(2 * math.pi * (hour - 9) / 24)
    bursts = {0: 0.5, 15: 0.2, 30: 0.3, 45: 0.2}
    return math.log(wave) + (math.log(0.6) if day >= 5 else 0) + bursts.get(minute % 60, 0.0)


def t4(rng):
    return rng.gauss(0, 0.25) / math.sqrt(rng.gammavariate(2, 0.5))


def market(rng):
    """Return dollars per half minute, and the planted spikes as (first, last)."""
    planted = sorted(
        (start, start + rng.choice([1, 2, 4, 8]))
        for start in rng.sample(range(SETTLED, DAYS * 2880 - 20, 20), 3 * DAYS)
    )
    usd, off = [], 0.0
    for minute in range(DAYS * 1440):
        off = 0.3 * off + t4(rng)
        log = season(minute) + off + (0.8 if minute * 2 >= SHIFT else 0)
        usd += [DAILY_USD / 2880 * math.exp(log + rng.gauss(0, 0.2)) for _ in range(2)]
    for first, last in planted:
        times = math.exp(rng.uniform(math.log(3), math.log(20)))
        usd[first:last] = [amount * times for amount in usd[first:last]]
    return usd, planted


def adaptive(usd):
    volume, alerts = Volume(), []
    like = sample(Bar, taker_buy_usd=0.0, largest_cluster_usd=0.0, late_notional_usd=0.0)
    for i, amount in enumerate(usd):
        at_ms = T0 + i * BAR_MS
        bar = msgspec.structs.replace(
            like, start_ms=at_ms, ts_event_ms=at_ms + BAR_MS, notional_usd=amount
        )
        finding = volume.on_bar(bar, i, AROUND)
        if finding is not None and i >= SETTLED:
            paid = not volume.budget.silent_ms
            alerts.append((i, paid))
    return alerts


def requirements(usd, limit):
    """Return when the requirements' rule speaks: 15 minutes above a limit by session."""
    alerts, total, above = [], 0.0, False
    for i, amount in enumerate(usd):
        total += amount - (usd[i - 30] if i >= 30 else 0.0)
        value = total / MULTIPLIERS[session_at(T0 + i * BAR_MS)] if i >= SETTLED else 0.0
        if not above and value >= limit and i >= SETTLED:
            alerts.append(i)
        above = value >= limit * (0.8 if above else 1.0)
    return alerts


def requirements_at(usd, alerts):
    """Return the rule's alerts, with the limit that makes it speak as often."""
    low, high = DAILY_USD / 96 * 2, DAILY_USD
    for _ in range(16):
        limit = math.sqrt(low * high)
        low, high = (limit, high) if len(requirements(usd, limit)) > alerts else (low, limit)
    return requirements(usd, high)


def recall(alerts, planted):
    return sum(any(a <= i <= b + 10 for i in alerts) for a, b in planted) / len(planted)


@pytest.fixture(scope="module")
def stream():
    usd, planted = market(random.Random(11))
    return usd, planted, adaptive(usd)


def test_it_finds_far_more_than_the_requirements_rule_with_as_many_alerts(stream):
    usd, planted, alerts = stream
    times = [i for i, _ in alerts]
    rule = requirements_at(usd, len(times))
    assert 0.8 * len(times) <= len(rule) <= len(times)
    assert recall(times, planted) >= 1.3 * recall(rule, planted)
    assert recall(times, planted) >= 0.5


def test_it_keeps_its_budget_through_the_shift_and_the_weekends(stream):
    budgeted = [i for i, paid in stream[2] if paid]
    for start in range(SETTLED, DAYS * 2880 - 28_800, 1440):
        assert sum(start <= i < start + 28_800 for i in budgeted) <= 1.25 * PER_DAY * 10


def test_it_is_never_silent_for_two_days(stream):
    times = [SETTLED, *(i for i, _ in stream[2]), DAYS * 2880]
    assert max(b - a for a, b in pairwise(times)) <= 2 * 2880
