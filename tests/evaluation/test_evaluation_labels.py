import numpy as np
from evaluation.labels import Label, labels, market_wide, unusual
from evaluation.tape import Tape

from foreshock_schemas.events import Liquidation, OpenInterest
from foreshock_schemas.testing import sample

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def minutes(days: float) -> tuple[np.ndarray, np.ndarray]:
    count = int(days * 1440)
    values = np.random.default_rng(7).lognormal(0, 0.2, count)
    return (np.arange(count) + 1) * MINUTE_MS, values


def liquidations(tape: Tape, *rows: tuple[int, float, float], position: str = "long") -> None:
    for second, usd, price in rows:
        tape.on_event(
            sample(
                Liquidation,
                coin="BTC",
                ts_event_ms=1000 * second,
                notional_usd=usd,
                price=price,
                position=position,
            )
        )


def interest(tape: Tape, usd: float) -> None:
    tape.on_event(
        sample(
            OpenInterest, coin="BTC", ts_event_ms=0, open_interest_coins=1, open_interest_usd=usd
        )
    )


def test_a_minute_far_above_its_like_is_unusual():
    ms, values = minutes(3)
    values[2000] = 20

    assert np.flatnonzero(unusual(ms, values)).tolist() == [2000]


def test_an_hour_that_is_always_loud_is_not():
    ms, values = minutes(3)
    values[(ms - 1) // HOUR_MS % 24 == 14] *= 20

    assert not unusual(ms, values).any()


def test_after_four_weeks_the_hour_of_the_week_is_compared():
    ms, values = minutes(30)
    sundays = (ms - 1) // HOUR_MS % 168 == 14
    values[sundays] *= 20
    once = np.flatnonzero((ms - 1) // HOUR_MS == 168 + 14)[30]
    values[once] *= 20

    assert np.flatnonzero(unusual(ms, values)).tolist() == [once]


def test_minutes_close_to_one_another_are_one_event():
    tape = Tape()
    liquidations(tape, (0, 1.0, 1.0), (7140, 90_000, 1.0), (7260, 80_000, 1.0), (9000, 1.0, 1.0))

    (label,) = labels(tape, ("liquidation",))

    assert (label.start_ms, label.end_ms) == (7_140_000, 7_320_000)


def test_a_cascade_is_a_run_of_one_side_with_a_move():
    tape = Tape()
    interest(tape, 1e9)
    liquidations(tape, (100, 5e5, 100.0), (150, 5e5, 99.0), (200, 5e5, 98.0))
    liquidations(tape, (300, 1.0, 98.0))
    liquidations(tape, (160, 9e5, 99.0), position="short")

    (label,) = labels(tape, ("cascade",))

    assert (label.start_ms, label.end_ms, label.position) == (100_000, 200_000, "long")
    assert label.usd == 1.5e6
    assert label.course == ((0.0, 5e5), (50.0, 5e5), (100.0, 5e5))


def test_what_moves_no_price_or_is_small_against_the_open_interest_is_no_cascade():
    flat, small = Tape(), Tape()
    interest(flat, 1e9)
    liquidations(flat, (100, 9e5, 100.0), (150, 9e5, 100.1))
    interest(small, 1e11)
    liquidations(small, (100, 9e5, 100.0), (150, 9e5, 98.0))

    assert not labels(flat, ("cascade",))
    assert not labels(small, ("cascade",))


def label(coin: str, start_ms: int) -> Label:
    return Label(detector="volume", coin=coin, start_ms=start_ms, end_ms=start_ms + 5000)


def test_three_coins_within_a_minute_are_the_market():
    apart = [label("A", 0), label("B", 30_000), label("C", 61_000)]
    close = [label("A", 500_000), label("B", 530_000), label("C", 560_000), label("D", 570_000)]

    (market,) = market_wide([*apart, *close])

    assert (market.coin, market.start_ms, market.end_ms) == ("MARKET", 500_000, 575_000)


def test_one_coin_three_times_is_not_the_market():
    assert not market_wide([label("A", 0), label("A", 1000), label("A", 2000), label("B", 3000)])
