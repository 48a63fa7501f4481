"""What a replay from Kafka is told, and how two lists of signals are compared."""

import argparse
import asyncio
import io
import os
from signal import SIGINT, SIGTERM

import msgspec
import pytest
from rich.console import Console

from foreshock_cli import concluding, connect
from foreshock_cli.arguments import let_times_be_values, moment
from foreshock_cli.comparing import differences, table
from foreshock_cli.explain import Explained, Input, lines
from foreshock_cli.interrupting import Interrupted, until_interrupted
from foreshock_cli.main import main
from foreshock_cli.rerun import _show_what_if, settings_of
from foreshock_cli.retained import DAY_MS, Retained
from foreshock_kit.errors import leaves
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import FakeClock, eventually
from foreshock_schemas.events import Factor, FeedAt, Signal, Why
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import BARS, LIQUIDATIONS, OPEN_INTEREST, SIGNALS, TRADES

HOUR_MS = 3_600_000
NOON_MS = 1_781_611_200_000  # 16 June 2026, 12:00 UTC


def signal(event_id, **told):
    return msgspec.structs.replace(sample(Signal), event_id=event_id, **told)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", 0),
        ("-2h", -2 * HOUR_MS),
        ("-90m", -1.5 * HOUR_MS),
        ("-0.5d", -12 * HOUR_MS),
        (str(NOON_MS + 5), 5),
        ("2026-06-16T11:00:00Z", -HOUR_MS),
        ("2026-06-16T11:00", -HOUR_MS),
        ("2026-06-16T13:00:00+02:00", -HOUR_MS),
    ],
)
def test_times_are_said_in_many_ways(text, expected):
    clock = FakeClock(NOON_MS)
    parser = argparse.ArgumentParser()
    let_times_be_values(parser)
    parser.add_argument("--from", dest="at", type=moment(clock))
    assert parser.parse_args(["--from", text]).at == NOON_MS + expected


def test_settings_are_grouped_by_their_dots():
    told = settings_of(
        ["budgets.cascade=2", "budgets.volume_spike=0.5", "dynamic_thresholds=false"]
    )
    assert told == {"budgets": {"cascade": 2, "volume_spike": 0.5}, "dynamic_thresholds": False}
    assert settings_of(["scope=BTC"]) == {"scope": "BTC"}


@pytest.mark.parametrize("words", [["budgets"], ["budgets=1", "budgets.cascade=2"]])
def test_settings_that_make_no_sense_are_refused(words):
    with pytest.raises(ValueError, match="--set budgets"):
        settings_of(words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name a recording, or --from a time"),
        (["FILE", "--compare"], "--set go with --from a time"),
        (["FILE", "--from", "-1h"], "either the recording FILE or --from a time"),
        (["--from", "2999-01-01"], "--from lies in the future"),
        (["--from", "-1h", "--out", "/nowhere/else"], "there is no folder /nowhere"),
        (["--from", "-1h", "--out", "/dev/null"], "/dev/null is no plain file"),
        (["--from", "-1h", "--to", "-2h"], "--from is not before --to"),
        (["--from", "-1h", "--set", "budgets"], "say NAME=VALUE"),
    ],
)
def test_words_that_do_not_go_together_are_refused(words, said, capsys):
    assert main(["replay", *words]) == 2
    assert said in capsys.readouterr().err


STUBBORN = """
import os, pathlib, signal, sys, time

signal.signal(signal.SIGINT, signal.SIG_IGN)
pathlib.Path(sys.argv[4]).write_text(str(os.getpid()))
time.sleep(600)
"""


@pytest.mark.parametrize("number", [SIGINT, SIGTERM])
async def test_a_replay_that_is_told_to_end_takes_its_detector_with_it(
    tmp_path, monkeypatch, number
):
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    monkeypatch.setattr(concluding, "module_of", lambda service: service)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started = tmp_path / "pid"

    async def tell():
        await eventually(lambda: started.exists() and started.read_text(), 20)
        os.kill(os.getpid(), number)

    async def replay():
        async with asyncio.TaskGroup() as group:
            group.create_task(tell())
            await concluding.conclude("stubborn", KafkaSettings(), (1, 2), started, {})

    with pytest.raises(ExceptionGroup) as caught:
        await until_interrupted(replay())
    (interrupted,) = leaves(caught.value)
    assert isinstance(interrupted, Interrupted)
    assert interrupted.code == 128 + number
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


@pytest.mark.parametrize(
    "text", ["tomorrow", "-7x", "2026-13-01", "", "9" * 30, "-" + "9" * 400 + "d", "-inf"]
)
def test_what_is_no_time_is_refused_with_what_is_one(text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["explain", "x", f"--from={text}"])
    assert ended.value.code == 2
    assert "say 2026-06-16T12:00 (UTC), ms since 1970, -2h" in capsys.readouterr().err


def test_what_lies_before_1970_is_1970():
    assert moment(FakeClock(NOON_MS))("-99999d") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [([""], "say which signal"), (["x", "--from", "2999-01-01"], "lies in the future")],
)
def test_what_cannot_be_explained_is_refused(words, said, capsys):
    assert main(["explain", *words]) == 2
    assert said in capsys.readouterr().err


async def test_a_broker_without_the_topics_is_told(monkeypatch):
    async def nothing(_):
        return {TRADES.name: 1}

    monkeypatch.setattr(connect, "knock", nothing)
    monkeypatch.setattr(connect, "partition_counts", nothing)
    await connect.reach(KafkaSettings(), [TRADES])
    said = "the broker has no foreshock.signals.v1 and 1 more: .*`foreshock topics --create`"
    with pytest.raises(connect.NoTopics, match=said):
        await connect.reach(KafkaSettings(), [SIGNALS, TRADES, BARS])


def test_the_same_signals_in_any_order_are_no_difference():
    one, other = signal("a"), signal("b")
    assert differences([one, other, one], [other, one]) == []


def test_each_difference_is_a_line_that_says_which():
    live = [signal("a"), signal("b"), signal("c", value=1.0)]
    made = [signal("b"), signal("c", value=2.0), signal("d")]
    found = differences(live, made)
    assert [line.split()[:2] for line in found] == [
        ["differs", "c"],
        ["extra", "d"],
        ["missing", "a"],
    ]
    assert found[0].endswith(": value")


def test_what_if_is_counted_by_the_day():
    live = [signal(f"v{n}", kind="volume_spike") for n in range(6)]
    made = [*live[:2], signal("c", kind="cascade")]
    shown = io.StringIO()
    Console(file=shown, width=80).print(
        table(live, made, days={"volume_spike": 2.0, "cascade": 5.0})
    )
    rows = [line.split() for line in shown.getvalue().splitlines()]
    assert ["volume_spike", "3.0", "1.0", "-2.0"] in rows
    assert ["cascade", "0.0", "0.2", "+0.2"] in rows


def test_what_if_counts_only_what_came_since_kafka_has_all_of_it():
    begun_ms = dict.fromkeys((LIQUIDATIONS.name, OPEN_INTEREST.name), 0) | {BARS.name: 2 * DAY_MS}
    there, shown = Retained(begun_ms, 4 * DAY_MS), io.StringIO()
    live, made = (
        [signal(f"v{day}", kind="volume_spike", ts_recv_ms=day * DAY_MS) for day in days]
        for days in ((1, 3), (0, 1, 2, 3))
    )
    _show_what_if(live, made, there, (0, 4 * DAY_MS), Console(file=shown, width=200))
    told = shown.getvalue().splitlines()
    assert ["volume_spike", "0.5", "1.0", "+0.5"] in [line.split() for line in told]
    assert told[-1].startswith(
        f"volume_spike: counted over 2.00 days, not the 4.00 asked for: Kafka has {BARS.name} from "
    )


def test_an_explanation_names_what_it_was_made_of():
    why = Why(
        model="volume/2",
        baseline=1_250_000.0,
        score=7.25,
        score_limit=5.0,
        factors=(Factor(name="taker imbalance", value=0.8, contribution=1.5),),
        inputs=(),
        feeds=(FeedAt(exchange="okx", channel="trades", state="DOWN"),),
        settings_id=None,
        held_back=3,
        reproduce="foreshock replay --from 1 --to 2",
    )
    inputs = (Input("foreshock.bars.v1", 3, 10, 20, 0), Input("foreshock.bars.v1", 3, 1, 9, 4))
    told = "\n".join(lines(Explained(3, 77, signal("volume:1", why=why), inputs)))
    for part in (
        "id           volume:1",
        "partition 3 offset 77",
        "model        volume/2",
        "expected     1,250,000",
        "score        7.25 of 5",
        "factor       taker imbalance 0.8: +1.5",
        "feed         okx trades DOWN",
        "settings     the defaults",
        "held back    3",
        "input        foreshock.bars.v1 partition 3 offsets 10 to 20, all there",
        "input        foreshock.bars.v1 partition 3 offsets 1 to 9, 4 expired",
        "again        foreshock replay --from 1 --to 2",
    ):
        assert part in told
