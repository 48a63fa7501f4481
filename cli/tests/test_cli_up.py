"""`foreshock up`: one a folder, and what it says."""

import os

import pytest

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


def test_a_wrong_grace_is_a_wrong_word(run, capsys, monkeypatch):
    monkeypatch.setenv("GRACE_S", "soon")
    assert main(["up"]) == 2
    assert "GRACE_S is wrong" in capsys.readouterr().err
