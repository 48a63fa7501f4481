"""One name for one coin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_schemas.names import coin_of, is_coin


@pytest.mark.parametrize(
    ("base", "coin", "multiplier"),
    [
        ("BTC", "BTC", 1), ("XBT", "BTC", 1), ("1000PEPE", "PEPE", 1e3), ("SHIB1000", "SHIB", 1e3),
        ("1000SHIB", "SHIB", 1e3), ("10000SATS", "SATS", 1e4), ("1000000MOG", "MOG", 1e6),
        ("1MBABYDOGE", "BABYDOGE", 1e6), ("PUMPFUN", "PUMP", 1), ("1INCH", "1INCH", 1),
        ("0G", "0G", 1), ("2Z", "2Z", 1), ("4", "4", 1), ("S", "S", 1), ("M", "M", 1),
        ("1000", "1000", 1), ("btc", "BTC", 1),
    ],
)  # fmt: skip
def test_names(base, coin, multiplier):
    assert coin_of(base) == (coin, multiplier)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=8), st.sampled_from([3, 4, 5, 6]))
def test_a_power_of_ten_before_a_coin_is_a_multiplier(coin, power):
    assert coin_of(f"{10**power}{coin}") == (coin_of(coin)[0], 10.0**power)


@pytest.mark.parametrize("name", ["BTC", "1INCH", "4", "S", "X" * 20])
def test_letters_and_digits_are_a_coin(name):
    assert is_coin(name)


@pytest.mark.parametrize(
    "name", ["", "btc", "../..", "BTC ETH", "BTC;", "BTC\n", "ß", "१", "X" * 21, "X" * 5_000]
)
def test_nothing_else_is(name):
    assert not is_coin(name)
