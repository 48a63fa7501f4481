import pytest

from foreshock_kit.environment import load
from foreshock_kit.errors import SettingsInvalid
from telegram_gateway.settings import Settings

TOKEN = "123456789:AAFakeFakeFakeFakeFake-akeFake_ake0"


@pytest.mark.parametrize("token", [TOKEN, TOKEN[:-1], f"{TOKEN}0"])
def test_a_token_like_telegrams_is_taken(token):
    assert load(Settings, {"TELEGRAM_BOT_TOKEN": token}).telegram_bot_token.reveal() == token


@pytest.mark.parametrize(
    "mangled",
    [
        TOKEN[:20],
        TOKEN.replace(":", ""),
        TOKEN.replace("123456789", "bot123456789"),
        TOKEN.replace("123456789", "१२३"),
        TOKEN.replace("-", "/"),
        f'"{TOKEN}"',
        f"{TOKEN}\n{TOKEN}",
    ],
)
def test_a_mangled_one_is_refused_and_not_told(mangled):
    with pytest.raises(SettingsInvalid) as caught:
        load(Settings, {"TELEGRAM_BOT_TOKEN": mangled, "KAFKA_BOOTSTRAP_SERVERS": "nowhere"})
    broker, token = caught.value.problems
    assert broker.startswith("KAFKA_BOOTSTRAP_SERVERS is wrong")
    assert token.startswith("TELEGRAM_BOT_TOKEN is wrong: it is no token")
    assert "Fake" not in token
