"""The whole stack as `foreshock up` starts it, looked at from outside."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
import websockets

from foreshock_exchanges import load
from foreshock_exchanges.base import Channel
from foreshock_kit.clock import SystemClock
from foreshock_kit.testing import eventually
from foreshock_schemas.topics import ALERTS, DELIVERIES, LIQUIDATIONS, SIGNALS

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

CLOCK = SystemClock()
FIRST_ALERT_S = 60


async def test_a_message_can_be_followed_back_to_the_exchanges_frame(stack):
    seen: dict[str, str] = {}
    async with asyncio.TaskGroup() as group:
        listening = [
            group.create_task(_note_ids(name, url, stack, seen))
            for name, url in stack.markets.items()
        ]

        async def told() -> list[dict]:
            return [m for m in await stack.inbox() if "Large liquidation" in m["text"]]

        await eventually(told, FIRST_ALERT_S)
        for task in listening:
            task.cancel()
    message = (await told())[0]

    deliveries = {
        record.event.alert_id: record.event
        for record in await stack.records(DELIVERIES)
        if record.event.state == "SENT" and record.event.message_id == message["message_id"]
    }
    alert = next(
        record.event
        for record in await stack.records(ALERTS)
        if record.event.event_id in deliveries and record.event.kind == "liquidation"
    )
    sent = deliveries[alert.event_id]
    (signalled,) = [
        record.event
        for record in await stack.records(SIGNALS)
        if record.event.event_id in alert.signal_ids
    ]
    (evidence,) = signalled.evidence
    (inputs,) = signalled.why.inputs
    cluster = {
        record.offset: record.event
        for record in await stack.records(LIQUIDATIONS)
        if (record.topic.name, record.partition) == (inputs.topic, inputs.partition)
        and inputs.first <= record.offset <= inputs.last
        and (record.event.coin, record.event.position) == (signalled.coin, signalled.position)
    }
    liquidation = cluster[evidence.offset]
    seen_usd = sum(each.notional_usd for each in cluster.values())

    assert liquidation.event_id == evidence.event_id
    assert liquidation.event_id in seen, "no frame of the exchange gave this event"
    assert signalled.value >= signalled.limit
    assert liquidation.notional_usd <= signalled.value <= seen_usd * (1 + 1e-9)
    assert alert.ts_recv_ms == signalled.ts_recv_ms == liquidation.ts_recv_ms
    assert sent.latency_ms < 3_000
    assert alert.coin in message["text"]


async def _note_ids(name: str, url: str, stack, seen: dict[str, str]) -> None:
    """Listen to an exchange's liquidations beside the stack."""
    adapter = load(name)
    asked = adapter.rest.instruments()
    answer = await stack.http.get(f"{url}{asked.path}", params=dict(asked.params))
    contracts = adapter.rest.read_instruments(answer.content, CLOCK.now_ms())
    adapter.learn(contracts)
    symbols = [each.symbol for each in contracts if each.status == "trading"]
    feeds = adapter.feeds(Channel.LIQUIDATIONS, symbols, url.replace("http", "ws", 1))
    async with asyncio.TaskGroup() as group:
        for feed in feeds:
            group.create_task(_note(feed, adapter, seen))


async def _note(feed, adapter, seen: dict[str, str]) -> None:
    async with websockets.connect(feed.url) as socket:
        for word in feed.hello:
            await socket.send(word)
        async for frame in socket:
            raw = frame.encode() if isinstance(frame, str) else frame
            parsed = adapter.parse(raw, CLOCK.now_ms())
            for event in parsed if isinstance(parsed, list) else ():
                if event_id := getattr(event, "event_id", None):
                    seen[event_id] = frame


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["topics"], "the broker has them all, as in the table"),
        (["doctor"], "broker and topics"),
        (["tail", "bars", "--json", "--beginning"], '"event_id":"binance:'),
    ],
)
async def test_commands_find_the_running_stack(stack, words, said):
    command = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "foreshock_cli",
        *words,
        cwd=stack.root,
        env=stack.env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        line = ""
        while said not in line:
            raw = await command.stdout.readline()
            assert raw, (await command.stderr.read()).decode()
            line = raw.decode()
        if words[0] == "tail":
            command.send_signal(signal.SIGINT)
        await command.communicate()
    assert command.returncode == 0


@pytest.mark.parametrize("name", ["ingest-liquidations", "alert-router", "telegram-gateway"])
async def test_a_killed_service_is_back_within_ten_seconds(stack, name):
    before = stack.endpoints["services"][name]["pid"]
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        now = stack.endpoints["services"][name]
        if now["pid"] == before:
            return False
        return (await stack.http.get(f"{now['health']}/readyz")).is_success

    await eventually(back, 10)


async def test_ctrl_c_ends_everything(stack):
    pids = [each["pid"] for each in stack.endpoints["services"].values()]
    stack.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(5):
        assert await stack.process.wait() == 0
    assert not (stack.root / "var/run/endpoints.json").exists()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
