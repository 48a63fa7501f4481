"""The command itself: quiet when it is interrupted, clear when a word is missing."""

import subprocess
import sys
from pathlib import Path

from foreshock_cli.main import main

ROOT = Path(__file__).resolve().parents[2]
LISTED = "import sys, foreshock_cli.main; print(*sys.modules)"


def test_an_interrupt_ends_quietly(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("foreshock_cli.topics.run", interrupted)
    assert main(["topics"]) == 130
    assert capsys.readouterr().err == ""


def test_nothing_slow_is_imported_before_interrupts_are_caught():
    run = subprocess.run([sys.executable, "-c", LISTED], capture_output=True, text=True, check=True)
    assert not {"asyncio", "rich", "msgspec", "foreshock_kit"} & set(run.stdout.split())


def test_make_replay_asks_for_a_recording():
    run = subprocess.run(
        ["make", "-n", "replay"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "make replay FILE=recording.gz" in run.stderr
