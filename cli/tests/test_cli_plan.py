"""One place decides what runs: demo or real."""

import pytest

from foreshock_cli.plan import SERVICES, UnknownService, make
from foreshock_kit.bot_token import token_problem
from foreshock_kit.environment import Secret
from foreshock_kit.errors import SettingsInvalid

TOKEN = "123456789:" + "A" * 35


def test_with_nothing_set_everything_is_a_demo():
    plan = make({})
    assert plan.services == SERVICES
    assert plan.embedded_broker
    assert plan.simulated_market
    assert plan.telegram_fake
    assert plan.chat_id == 1
    assert plan.env["TELEGRAM_AUTHORIZED_USERS"] == "1"
    assert plan.env["ENABLE_PREDICTIVE_ZONES"] == "true"
    assert token_problem(Secret(plan.env["TELEGRAM_BOT_TOKEN"])) is None


def test_each_real_part_is_asked_for_by_its_own_variable():
    plan = make(
        {
            "EXCHANGES": "binance",
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_AUTHORIZED_USERS": "42",
            "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
        }
    )
    assert {plan.embedded_broker, plan.simulated_market, plan.telegram_fake} == {False}
    assert plan.chat_id is None
    assert plan.env["TELEGRAM_AUTHORIZED_USERS"] == "42"
    assert "ENABLE_PREDICTIVE_ZONES" not in plan.env


def test_a_token_in_a_file_is_a_real_telegram():
    assert not make({"TELEGRAM_BOT_TOKEN_FILE": "/run/secrets/token"}).telegram_fake


def test_a_flag_set_by_hand_is_left_alone_in_the_demo():
    assert make({"ENABLE_PREDICTIVE_ZONES": "false"}).env["ENABLE_PREDICTIVE_ZONES"] == "false"


def test_only_some_services():
    plan = make({}, ("telegram-gateway", "oi-poller"))
    assert plan.services == ("oi-poller", "telegram-gateway")


def test_an_unknown_service_is_named_beside_those_there_are():
    with pytest.raises(UnknownService, match="no service 'nonsense'; there are: oi-poller"):
        make({}, ("nonsense",))


def test_the_banner_never_shows_the_token():
    plan = make({"TELEGRAM_BOT_TOKEN": TOKEN})
    assert TOKEN not in "\n".join(plan.describe())
    assert "SIMULATED" in "\n".join(plan.describe())


@pytest.mark.parametrize(
    ("said", "meant"), [({}, 2.0), ({"GRACE_S": ""}, 2.0), ({"GRACE_S": "8"}, 8.0)]
)
def test_children_and_their_supervisor_mean_the_same_grace(said, meant):
    plan = make(said)
    assert plan.grace_s == float(plan.env["GRACE_S"]) == meant


def test_a_grace_that_is_no_number_is_refused():
    with pytest.raises(SettingsInvalid, match="GRACE_S is wrong"):
        make({"GRACE_S": "soon"})
