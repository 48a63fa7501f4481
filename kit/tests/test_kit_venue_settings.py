"""Which exchanges are asked and where, and what settings refuse as a whole."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_kit.environment import Secret, load
from foreshock_kit.errors import SettingsInvalid
from foreshock_kit.settings import VenueSettings

OWN = "wss://venue.example"


class Known(VenueSettings, frozen=True, kw_only=True):
    def __post_init__(self):
        self.check_exchanges(("binance", "okx"))


class Hidden(msgspec.Struct, frozen=True, kw_only=True):
    spare: Secret | None = None
    note: str | None = None


def test_only_the_exchange_that_is_named_moves_to_another_host():
    found = load(VenueSettings, {"EXCHANGE_WS_URLS": "okx=ws://127.0.0.1:1,bybit=wss://b.example"})
    assert found.ws_url("okx", OWN) == "ws://127.0.0.1:1"
    assert found.ws_url("bybit", OWN) == "wss://b.example"
    assert found.ws_url("binance", OWN) == OWN
    assert found.rest_url("okx", "https://rest.example") == "https://rest.example"


def test_an_equals_sign_within_an_address_stays():
    found = load(VenueSettings, {"EXCHANGE_REST_URLS": "okx=http://127.0.0.1:1/?a=b"})
    assert found.rest_url("okx", "") == "http://127.0.0.1:1/?a=b"


@pytest.mark.parametrize(
    "told",
    [
        {"EXCHANGE_WS_URLS": "ws://127.0.0.1:1"},
        {"EXCHANGE_WS_URLS": "okx=http://127.0.0.1:1"},
        {"EXCHANGE_REST_URLS": "okx=ws://127.0.0.1:1"},
        {"EXCHANGE_REST_URLS": "okx=http://127.0.0.1:1,bybit"},
    ],
)
def test_an_address_of_another_kind_or_of_nobody_is_wrong(told):
    (name,) = told
    with pytest.raises(SettingsInvalid, match=f"^{name} is wrong"):
        load(VenueSettings, told)


def test_an_unknown_exchange_is_a_problem_that_names_those_there_are():
    assert load(Known, {"EXCHANGES": "okx"}).exchanges == ("okx",)
    with pytest.raises(SettingsInvalid) as caught:
        load(Known, {"EXCHANGES": "okx,mtgox"})
    assert caught.value.problems == (
        "EXCHANGES is wrong: no exchange mtgox; there are: binance, okx",
    )


def test_what_does_not_go_together_is_told_beside_what_is_wrong():
    with pytest.raises(SettingsInvalid) as caught:
        load(Known, {"EXCHANGES": "mtgox", "LOG_LEVEL": "LOUD"})
    wrong, strange = caught.value.problems
    assert wrong.startswith("LOG_LEVEL is wrong")
    assert strange.startswith("EXCHANGES is wrong: no exchange mtgox")


def test_an_optional_secret_has_a_file_and_nothing_else_has(tmp_path):
    file = tmp_path / "held"
    file.write_text("held\n")
    found = load(Hidden, {"SPARE_FILE": str(file), "NOTE_FILE": str(file)})
    assert found == Hidden(spare=Secret("held"))


@given(st.text(st.characters(exclude_characters="*"), min_size=6))
def test_no_secret_changes_how_settings_look(text):
    assert repr(Hidden(spare=Secret(text))) == "Hidden(spare=***, note=None)"


def test_an_exchange_that_is_named_twice_is_refused():
    with pytest.raises(SettingsInvalid, match="okx more than once"):
        load(Known, {"EXCHANGES": "okx,binance,okx"})
