"""Settings come from the environment, all problems at once, secrets out of sight."""

from typing import Annotated, Literal

import msgspec
import pytest

from foreshock_kit.environment import Secret, describe, load, names
from foreshock_kit.errors import SettingsInvalid
from foreshock_kit.settings import KafkaSettings, ServiceSettings


class Example(msgspec.Struct, frozen=True, kw_only=True):
    token: Secret
    users: tuple[int, ...] = ()
    names: tuple[str, ...] = ("a",)
    on: bool = False
    style: Literal["json", "text"] = "json"
    cooldown: Annotated[int, msgspec.Meta(ge=0, le=10)] = 5
    rate: float = 1.5
    note: str | None = None


def test_defaults_hold_where_nothing_or_nothing_but_space_is_said():
    assert load(Example, {"TOKEN": "t", "RATE": " ", "ON": ""}) == Example(token=Secret("t"))


def test_the_names_that_are_read_can_be_told():
    assert names(Example) == [
        *("TOKEN", "TOKEN_FILE", "USERS", "NAMES", "ON", "STYLE", "COOLDOWN", "RATE", "NOTE"),
    ]


def test_every_kind_of_value_is_read():
    told = {
        "TOKEN": "t",
        "USERS": "1, 2,,3",
        "NAMES": "x,y",
        "ON": "Yes",
        "STYLE": "text",
        "COOLDOWN": "0",
        "RATE": "2",
        "NOTE": "hello",
        "OTHER": "is not ours",
    }
    found = load(Example, told)
    assert found.users == (1, 2, 3)
    assert found.names == ("x", "y")
    assert (found.on, found.style, found.cooldown, found.rate) == (True, "text", 0, 2.0)
    assert found.note == "hello"


def test_all_problems_are_told_at_once_a_line_each():
    told = {"USERS": "1,two", "ON": "maybe", "STYLE": "xml", "COOLDOWN": "11", "RATE": "fast"}
    with pytest.raises(SettingsInvalid) as caught:
        load(Example, told)
    problems = caught.value.problems
    assert [line.split()[0] for line in problems] == [
        "TOKEN",
        "USERS",
        "ON",
        "STYLE",
        "COOLDOWN",
        "RATE",
    ]
    assert "TOKEN is missing: a secret, or its file by NAME_FILE" in problems
    assert "neither true nor false" in problems[2]


def test_a_secret_may_be_in_a_file(tmp_path):
    file = tmp_path / "token"
    file.write_text("from the file\n")
    assert load(Example, {"TOKEN_FILE": str(file)}).token.reveal() == "from the file"
    assert load(Example, {"TOKEN_FILE": str(file), "TOKEN": "t"}).token.reveal() == "t"


@pytest.mark.parametrize("content", ["", " \n", None])
def test_a_secrets_file_that_is_empty_or_missing_is_a_problem(tmp_path, content):
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsInvalid, match="TOKEN is wrong"):
        load(Example, {"TOKEN_FILE": str(file)})


def test_a_secret_does_not_show():
    secret = Secret("very secret")
    settings = load(Example, {"TOKEN": "very secret"})
    for shown in (repr(secret), str(secret), f"{secret}", repr(settings)):
        assert "very secret" not in shown
        assert "***" in shown
    assert secret == Secret("very secret")
    assert secret != Secret("another")
    assert len({secret, Secret("very secret")}) == 1


def test_a_wrong_value_of_a_secret_never_reaches_the_message():
    with pytest.raises(SettingsInvalid) as caught:
        load(Example, {"TOKEN": "very secret", "RATE": "x"})
    assert "very secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (bool, "true or false"),
        (int, "a whole number"),
        (Annotated[int, msgspec.Meta(ge=0, le=10)], "a whole number from 0 to 10"),
        (Annotated[float, msgspec.Meta(gt=0)], "a number above 0"),
        (float | None, "a number, or nothing"),
        (Literal["a", "b"], "a or b"),
        (tuple[int, ...], "a comma separated list, each a whole number"),
        (str, "a text"),
    ],
)
def test_types_are_described_in_words(hint, words):
    assert describe(hint) == words


@pytest.mark.parametrize(
    ("told", "problems"),
    [
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
            [
                "KAFKA_SASL_MECHANISM is missing: SASL_SSL",
                "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are missing: SASL_SSL",
            ],
        ),
        (
            {"KAFKA_SSL_CAFILE": "/nowhere/ca.pem"},
            ["KAFKA_SSL_CAFILE is wrong: there is no file /nowhere/ca.pem"],
        ),
        ({"HEALTH_PORT": "70000"}, ["HEALTH_PORT is wrong"]),
        (
            {"KAFKA_BOOTSTRAP_SERVERS": "kafka,127.0.0.1:99999,[::1]:9092"},
            [
                "KAFKA_BOOTSTRAP_SERVERS is wrong: 'kafka' is not host:port",
                "KAFKA_BOOTSTRAP_SERVERS is wrong: '127.0.0.1:99999' is not host:port",
            ],
        ),
        (
            {"SCHEMA_REGISTRY_USERNAME": "foreshock"},
            ["SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD go together"],
        ),
        (
            {
                "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "KAFKA_SASL_MECHANISM": "PIGEON",
                "KAFKA_SASL_USERNAME": "foreshock",
                "KAFKA_SASL_PASSWORD": "word",
            },
            ["KAFKA_SASL_MECHANISM is wrong"],
        ),
        ({"GRACE_S": "-1"}, ["GRACE_S is wrong"]),
    ],
)
def test_what_cannot_work_is_a_problem_and_no_crash(told, problems):
    with pytest.raises(SettingsInvalid) as caught:
        load(ServiceSettings, told)
    assert len(caught.value.problems) == len(problems)
    for line, expected in zip(caught.value.problems, problems, strict=True):
        assert line.startswith(expected)


def test_what_every_service_can_be_told():
    found = load(ServiceSettings, {"KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2", "HEALTH_PORT": "8080"})
    assert (found.kafka_bootstrap_servers, found.health_port) == ("a:1,b:2", 8080)
    assert found.health_host == "127.0.0.1"
    assert load(KafkaSettings, {}).kafka_security_protocol == "PLAINTEXT"
