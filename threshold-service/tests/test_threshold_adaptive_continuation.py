"""How likely a cascade goes on."""

import msgspec

from threshold_service.domain.adaptive.continuation import FITTED, Intensities

T0 = 1_790_000_000_000


def continuation(orders, needed_usd, usd=1e4, every=1.0):
    intensities = Intensities()
    for number in range(orders):
        intensities.add(T0 + round(number * every * 1000), usd, 1.0)
    return intensities.probability(needed_usd, usd)


def test_more_and_faster_prints_make_more_to_come_likelier():
    assert 0 < continuation(5, 1e6) < continuation(50, 1e6) < continuation(200, 1e6) < 1
    assert continuation(50, 1e6, every=30) < continuation(50, 1e6, every=0.1)
    assert continuation(50, 1e7) < continuation(50, 1e5)
    assert Intensities().probability(1e6, 1e4) == 0.0


def test_branching_is_capped_and_the_odds_can_be_calibrated():
    assert sum(FITTED.weights) < 0.95
    wild = msgspec.structs.replace(FITTED, weights=(0.9, 0.9, 0.9, 0.9))
    intensities = Intensities()
    intensities.add(T0, 1e4, 1.0)
    assert 0 < intensities.probability(1e6, 1e4, wild) < 1
    raw = intensities.probability(1e6, 1e4)
    halved = msgspec.structs.replace(FITTED, shift=-1.0)
    assert intensities.probability(1e6, 1e4, halved) < raw
