"""What is said of settings that nobody reads."""

import os

import pytest

from foreshock_cli.main import main
from foreshock_cli.misspelt import misspelt

KNOWN = {"EXCHANGES", "TELEGRAM_BOT_TOKEN", "KAFKA_BOOTSTRAP_SERVERS", "LOG_LEVEL", "COINS"}
SECRET = "hunter2"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("EXCHANGE", "EXCHANGES"),
        ("TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"),
        ("KAFKA_BOOTSTRAP", "KAFKA_BOOTSTRAP_SERVERS"),
        ("COIN", "COINS"),
    ],
)
def test_what_is_nearly_a_setting_is_told_with_the_one_meant(name, meant):
    assert list(misspelt(KNOWN, {name}, {})) == [f"{name} is no setting: did you mean {meant}?"]


def test_what_begins_like_a_setting_in_dotenv_is_told():
    assert list(misspelt(KNOWN, {"KAFKA_X", "COMPOSE_FILE"}, {})) == ["KAFKA_X is no setting"]


def test_other_programs_variables_and_the_fakes_are_left_alone():
    others = ("KAFKA_HOME", "LOG_DIR", "PATH", "HOME", "SIM_SEED", "TELEGRAM_FAKE_PORT", "COINS")
    assert list(misspelt(KNOWN, {"SIM_SPEED", "EXCHANGES"}, dict.fromkeys(others, ""))) == []


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("KAFKA_", "TELEGRAM_", "EXCHANGE")):
            monkeypatch.delenv(name)
    (tmp_path / ".env").write_text(f"TELEGRAM_BOT_TOKN={SECRET}\nALERTS_PER_DAY=many\n")
    return tmp_path


@pytest.mark.parametrize(("command", "code"), [("up", 78), ("doctor", 1)])
def test_a_misspelt_setting_is_told_beside_the_wrong_ones_and_never_its_value(
    folder, capsys, command, code
):
    assert main([command]) == code
    said = "".join(capsys.readouterr())
    assert "TELEGRAM_BOT_TOKN is no setting: did you mean TELEGRAM_BOT_TOKEN?" in said
    assert "ALERTS_PER_DAY is wrong" in said
    assert SECRET not in said
