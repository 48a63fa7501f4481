"""What an alert says: what happened first, why after, the command last."""

import pytest

from alert_router.domain import wording
from alert_router.domain.numbers import amount, span, usd
from foreshock_schemas.events import FeedAt, MarketContext, Signal, Why
from foreshock_schemas.testing import sample

WHY = {
    "model": "cascade/1",
    "baseline": 2.1e6,
    "score": 7.26,
    "score_limit": 4.0,
    "settings_id": None,
    "held_back": 0,
}


def said(**fields):
    fields = {"headline": "BTC: $12.4M", "coverage": "full", "reasons": ("31 in 60 s",)} | fields
    signal = sample(Signal, **fields)
    return (*wording.happened(signal), *wording.details(signal))


def context(**fields):
    known = {"price_pct": -1.2, "open_interest_pct": -3.1, "cvd_usd": -12e6, "over_s": 900}
    return MarketContext(**known | {"reading": "long exits"} | fields)


def test_first_what_happened_then_why():
    lines = said(context=context(), continuation=0.64, why=sample(Why, **WHY), unit="usd")
    assert lines == (
        "BTC: $12.4M",
        "Price -1.2 %, open interest -3.1 %, takers sold $12M in 15 min: long exits",
        "As much again within 5 min: 64 % likely",
        "31 in 60 s",
        "Score 7.3 against 4.0, expected $2.1M",
    )


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"price_pct": None}, "Open interest -3.1 %, takers sold $12M in 15 min: long exits"),
        ({"cvd_usd": 3e3, "over_s": 30}, "Price -1.2 %, open interest -3.1 %, takers bought $3k"),
        ({"reading": None}, "Price -1.2 %, open interest -3.1 %, takers sold $12M in 15 min"),
    ],
)
def test_the_surroundings_are_told_as_far_as_they_are_known(known, line):
    assert said(context=context(**known))[1].startswith(line)


def test_of_unknown_surroundings_nothing_is_said():
    unknown = context(price_pct=None, open_interest_pct=None, cvd_usd=None)
    assert said(context=unknown) == ("BTC: $12.4M", "31 in 60 s")


def test_what_is_likely_to_end_is_said_so_and_nothing_of_what_is_over():
    assert said(continuation=0.3)[1] == "As much again within 5 min: 30 % likely"
    assert said(continuation=0.3, incident_state="ENDED") == ("BTC: $12.4M", "31 in 60 s")


def test_what_the_budget_held_back_and_which_feeds_were_missing():
    feeds = tuple(
        FeedAt(exchange=name, channel="liquidations", state=state)
        for name, state in (("okx", "DOWN"), ("bybit", "QUIET"), ("gate", "MUTE"))
    )
    lines = said(why=sample(Why, **WHY | {"held_back": 2, "score": None, "feeds": feeds}))
    assert lines[2:] == (
        "2 more were held back by its daily budget.",
        "Not live: okx liquidations DOWN, gate liquidations MUTE",
    )


def test_numbers_are_short():
    assert [usd(value) for value in (0.0, 999.6, 12_400, -1.24e9)] == [
        *("$0", "$1k", "$12.4k", "$1.24B"),
    ]
    assert [amount(1.5, unit) for unit in ("usd", "pct", "state")] == ["$1.5", "1.5 %", "1.5"]
    assert [span(ms) for ms in (5_000, 60_000, 86_400_000)] == ["5 s", "1 min", "1440 min"]


def test_details_are_set_apart_by_empty_lines():
    assert wording.laid_out(["what"], ["why"], ["id"]) == ("what", "", "why", "", "id")
    assert wording.laid_out(["what"], [], ["id"]) == ("what", "id")
    assert wording.laid_out(["what", ""], ["", "why"], ["id"]) == ("what", "", "why", "", "id")
