"""What `foreshock topics` and `foreshock doctor` ask of a broker, and say of it."""

import asyncio
import os
from contextlib import contextmanager

import pytest

from foreshock_cli import connect, endpoints
from foreshock_cli.endpoints import ServiceEndpoint
from foreshock_cli.lock import held
from foreshock_cli.main import main
from foreshock_cli.plan import embedded_retention_ms
from foreshock_kit.admin import topic_problems
from foreshock_kit.broker import embedded_broker
from foreshock_kit.health import Health
from foreshock_kit.http_server import serve
from foreshock_kit.kafka.snapshots import HOUR_MS
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.topics import BARS, STATE, TOPICS, TRADES

NOWHERE = "127.0.0.1:1"
SWALLOWED_BY_MARKUP = "cleanup.policy=[compact]"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("KAFKA_", "TELEGRAM_", "EXCHANGE")):
            monkeypatch.delenv(name)
    return tmp_path


@contextmanager
def up(kafka: str, *, embedded: bool, **health: str):
    """Look like a running `foreshock up`, and then like one that was killed."""
    ends = endpoints.Endpoints(
        kafka=kafka,
        embedded_broker=embedded,
        schema_registry="",
        services={name: ServiceEndpoint(pid=7, health=url) for name, url in health.items()},
    )
    with held(connect.LOCK):
        endpoints.write(connect.ENDPOINTS, ends)
        yield


def cap(kafka: str):
    return connect.retention_cap(KafkaSettings(kafka_bootstrap_servers=kafka))


@pytest.mark.parametrize("named", ["127.0.0.1:4000", "localhost:4000"])
def test_the_embedded_broker_of_the_running_stack_keeps_little(named):
    with up("127.0.0.1:4000", embedded=True):
        assert cap(named) is embedded_retention_ms


def test_what_nobody_reads_back_is_kept_for_a_shorter_time():
    kept_ms = {topic.name: embedded_retention_ms(topic) for topic in TOPICS}
    assert kept_ms[TRADES.name] < kept_ms[BARS.name]


def test_the_hourly_state_is_kept_until_the_next_is_there():
    assert embedded_retention_ms(STATE) >= 2 * HOUR_MS


def test_no_other_broker_is_told_to_keep_little():
    assert cap("prod:9092") is None
    with up("127.0.0.1:4000", embedded=True):
        assert cap("prod:9092") is None
    with up("prod:9092", embedded=False):
        assert cap("prod:9092") is None


def test_what_a_killed_stack_has_left_is_not_believed():
    with up("127.0.0.1:4000", embedded=True):
        assert connect.running()
    assert connect.ENDPOINTS.exists()
    assert connect.running() is None


@pytest.mark.broker
@pytest.mark.parametrize(("embedded", "kept_ms"), [(True, embedded_retention_ms), (False, None)])
async def test_topics_are_created_as_they_are_then_wanted(tmp_path, capsys, embedded, kept_ms):
    async with embedded_broker(tmp_path / "broker") as kafka:
        with up(kafka, embedded=embedded):
            assert await asyncio.to_thread(main, ["topics", "--create", "--kafka", kafka]) == 0
            settings = KafkaSettings(kafka_bootstrap_servers=kafka)
            assert await topic_problems(settings, cap_ms=kept_ms) == []
            await asyncio.to_thread(main, ["doctor"])
    assert "✓ broker and topics" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["topics"], ["doctor"], ["tail", "signals"]])
def test_why_a_broker_does_not_answer_is_told(capsys, command):
    assert main([*command, "--kafka", NOWHERE]) == 1
    assert f"no Kafka broker reachable ({NOWHERE}" in "".join(capsys.readouterr())


@pytest.mark.parametrize("command", [["topics", "--create"], ["doctor"], ["tail", "signals"]])
def test_that_no_broker_was_named_is_told(capsys, command):
    assert main(command) == 1
    assert "no stack runs here (`make run`)" in "".join(capsys.readouterr())


def test_the_table_alone_needs_no_broker(capsys):
    assert main(["topics"]) == 0
    assert "no broker to compare it with" in capsys.readouterr().out


async def test_services_that_are_not_well_are_named(capsys):
    well, starting = Health(), Health()
    well.set("work", ok=True)
    async with (
        serve("127.0.0.1", 0, well.routes()) as good,
        serve("127.0.0.1", 0, starting.routes()) as slow,
    ):
        services = {"good": good.url, "slow": slow.url, "gone": f"http://{NOWHERE}"}
        with up(NOWHERE, embedded=True, **services):
            assert await asyncio.to_thread(main, ["doctor"]) == 1
    said = capsys.readouterr().out
    assert "✗ services" in said
    assert "slow (pid 7) is not ready: service: starting; see var/log/slow.log" in said
    assert "gone (pid 7) does not answer" in said
    assert "good" not in said


@pytest.mark.parametrize("command", ["topics", "doctor"])
def test_wrong_settings_are_no_broker_that_does_not_answer(capsys, monkeypatch, command):
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "carrier pigeon")
    assert main([command, "--kafka", NOWHERE]) == 1
    said = "".join(capsys.readouterr())
    assert "KAFKA_SECURITY_PROTOCOL is wrong" in said
    assert "answer" not in said


def test_the_doctor_checks_every_service_s_settings(capsys, monkeypatch):
    monkeypatch.setenv("ALERTS_PER_DAY", "many")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "✗ settings\n    ALERTS_PER_DAY is wrong: 'many'" in said
    assert "(alert-router, telegram-gateway)" in said
    monkeypatch.setenv("ALERTS_PER_DAY", "60")
    main(["doctor"])
    assert "✓ settings" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["topics", "doctor"])
def test_advice_is_printed_as_it_is(capsys, monkeypatch, command):
    async def problems(*_, **__):
        return [SWALLOWED_BY_MARKUP]

    monkeypatch.setattr(f"foreshock_cli.{command}.topic_problems", problems)
    assert main([command, "--kafka", NOWHERE]) == 1
    assert SWALLOWED_BY_MARKUP in capsys.readouterr().out


def test_a_mangled_token_is_told_without_asking_telegram(capsys, monkeypatch):
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123:hunter2\n")
    monkeypatch.setattr("foreshock_cli.doctor.httpx", None)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "✗ Telegram token\n    TELEGRAM_BOT_TOKEN is wrong: it is no token" in said
    assert "hunter2" not in said
