"""`foreshock up`: one a folder, and what it says."""

import os
import socket

import pytest

from foreshock_cli.checking import Checked
from foreshock_cli.endpoints import Endpoints
from foreshock_cli.lock import AlreadyRunning, held
from foreshock_cli.main import main
from foreshock_cli.plan import make
from foreshock_cli.up import banner

ENDS = Endpoints(kafka="127.0.0.1:4000", schema_registry="http://127.0.0.1:4001", services={})


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "var" / "run"


def test_a_second_up_leaves_the_first_ones_files_and_names_it(run, capsys):
    log = run.parent / "log" / "oi-poller.log"
    log.parent.mkdir(parents=True)
    with held(run / "lock"):
        kept = [log, run / "endpoints.json", run / "oi-poller.health"]
        for file in kept:
            file.write_text("the first one's")
        assert main(["up"]) == 1
        assert all(file.exists() for file in kept)
    assert capsys.readouterr().err.splitlines() == [
        f"foreshock up: already running in this folder: stop process {os.getpid()} first"
    ]


def test_the_lock_is_free_after_its_holder_and_never_removed(run):
    for _ in range(2):
        with held(run / "lock"), pytest.raises(AlreadyRunning), held(run / "lock"):
            pass
    assert (run / "lock").read_text() == str(os.getpid())


@pytest.mark.parametrize(("logs_here", "said"), [(True, "below"), (False, "var/log/")])
def test_the_banner_says_where_the_logs_are(logs_here, said):
    assert f"logs      {said} " in banner(make({}), ENDS, 1.0, logs_here=logs_here)


def test_a_brokers_address_is_no_markup():
    plan = make({"KAFKA_BOOTSTRAP_SERVERS": "[fe80::1]:9092"})
    assert r"\[fe80::1]:9092" in banner(plan, ENDS, 1.0, logs_here=False)


def test_a_services_last_words_are_no_markup(run, capsys, monkeypatch):
    class Talkative:
        def __init__(self, *_, say, **__):
            self._say = say

        async def run(self, _ready):
            self._say("oi-poller keeps failing: GET [/fapi/v1/time]")

    monkeypatch.setattr("foreshock_cli.up.Stack", Talkative)
    assert main(["up"]) == 0
    assert "GET [/fapi/v1/time]" in capsys.readouterr().err


def test_a_wrong_grace_is_a_wrong_setting(run, capsys, monkeypatch):
    monkeypatch.setenv("GRACE_S", "soon")
    assert main(["up"]) == 78
    assert "GRACE_S is wrong" in capsys.readouterr().err


def test_an_unknown_service_is_a_wrong_word(run, capsys):
    assert main(["up", "--only", "nonsense"]) == 2
    assert "no service 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["-3", "0", "nan", "inf", "soon"])
def test_a_time_that_is_none_is_refused(run, capsys, seconds):
    with pytest.raises(SystemExit, match="2"):
        main(["up", "--for", seconds])
    assert "--for" in capsys.readouterr().err


def test_every_line_of_dotenv_that_says_nothing_is_named(run, capsys):
    (run.parent.parent / ".env").write_text("# a\nEXCHANGES=binance\nCOINS\nLOG_LEVEL='INFO\n")
    assert main(["up"]) == 78
    assert [line[:25] for line in capsys.readouterr().err.splitlines()] == [
        "foreshock up: .env line 3",
        "foreshock up: .env line 4",
    ]


@pytest.mark.parametrize("name", ["SIM_BINANCE_PORT", "SIM_OKX_PORT", "TELEGRAM_FAKE_PORT"])
def test_a_port_that_is_taken_is_told_at_once_with_who_has_it(run, capsys, monkeypatch, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv(name, str(port))
        assert main(["up"]) == 1
    said = capsys.readouterr().err
    assert f"port {port} is in use by" in said
    assert f"(pid {os.getpid()})" in said


@pytest.mark.parametrize(
    ("ports", "problem"),
    [
        (("x", ""), "SIM_BINANCE_PORT is wrong: 'x' is not a whole number from 0 to 65535"),
        (("", "99999"), "TELEGRAM_FAKE_PORT is wrong: '99999' is not a whole number from 0"),
        (("2000", "2000"), "SIM_BINANCE_PORT and TELEGRAM_FAKE_PORT are the same: 2000"),
    ],
)
def test_ports_that_cannot_be_are_told_beside_the_services_problems(
    run, capsys, monkeypatch, ports, problem
):
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    for name, port in zip(("SIM_BINANCE_PORT", "TELEGRAM_FAKE_PORT"), ports, strict=True):
        monkeypatch.setenv(name, port)
    assert main(["up", "--only", "oi-poller"]) == 78
    _, level, port = capsys.readouterr().err.splitlines()
    assert "LOG_LEVEL is wrong" in level
    assert problem in port


def test_wrong_settings_end_it_before_a_broker_is_started(run, capsys, monkeypatch):
    async def check(*_):
        return Checked(frozenset(), ("A is wrong (all services)", "B is missing (oi-poller)"))

    monkeypatch.setattr("foreshock_cli.stack.check_settings", check)
    monkeypatch.setattr("foreshock_cli.stack.watched_broker", None)
    assert main(["up"]) == 78
    assert capsys.readouterr().err.splitlines()[1:] == [
        "foreshock up: A is wrong (all services)",
        "foreshock up: B is missing (oi-poller)",
    ]


def test_a_broker_that_does_not_answer_is_waited_for(run, capsys, monkeypatch, unused_tcp_port):
    async def check(*_):
        return Checked(frozenset(), ())

    monkeypatch.setattr("foreshock_cli.stack.check_settings", check)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{unused_tcp_port}")
    assert main(["up", "--for", "1.5"]) == 0
    _, waiting, _ = capsys.readouterr().err.splitlines()
    assert f"no Kafka broker reachable (127.0.0.1:{unused_tcp_port}" in waiting
    assert "trying again" in waiting
    assert [file.name for file in run.iterdir()] == ["lock"]


def test_a_health_port_for_all_is_not_one_for_each(run):
    assert "not HEALTH_PORT" in banner(make({"HEALTH_PORT": "80"}), ENDS, 1.0, logs_here=False)
