"""A liquidation's frame sent to Telegram's request received, through five services' processes.

Beside the liquidations that are told of runs the market: trades, and liquidations too small to
tell. Every coin has a chat of its own, so that Telegram's limits (one message a second and chat, 25
a second in all) are not what is measured. The reference is the same road with nothing on it: three
bare aiokafka hops and one acknowledged write, beside the same load.
"""

import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from operator import itemgetter
from pathlib import Path
from typing import Final

import httpx
import msgspec
from bench.bench_ingest import follow
from bench.harness import Goal, Row, quantile, row, say
from bench.kafka import CLOCK, fill, kafka
from bench.market import agg_trades, coins, force_orders
from bench.measuring import reference
from bench.venue import Feed, venue

from foreshock_kit.processes import spawn
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually, records_on
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import Alert, Delivery, Subscription
from foreshock_schemas.topics import ALERTS, DELIVERIES, SUBSCRIPTIONS

_TOKEN: Final = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeF"
_SERVICES: Final = (
    "ingest_trades",
    "ingest_liquidations",
    "threshold_service",
    "alert_router",
    "telegram_gateway",
)
_COINS: Final = 60
_LASTS_S: Final = 40
_TOLD_A_SECOND: Final = 10


class Load(msgspec.Struct, frozen=True):
    """How busy the market is, and how fast an alert must be in it, in ms."""

    name: str
    trades: int
    small: int
    p50: Goal
    p99: Goal


_LOADS: Final = (
    Load("2,000 trades/s", 2_000, 0, Goal(at_most=25), Goal(at_most=150)),
    Load(
        "15,000 trades/s and 1,000 liquidations/s",
        15_000,
        1_000,
        Goal(at_most=500),
        Goal(at_most=500),
    ),
)


async def run() -> list[Row]:
    """Measure both loads."""
    rows: list[Row] = []
    for load in _LOADS:
        say(f"latency at {load.name}: {_LASTS_S} s")
        async with kafka() as broker:
            delays, hops = await _measured(broker, load)
        for share, name, goal in ((0.5, "p50", load.p50), (0.99, "p99", load.p99)):
            rows.append(
                row(
                    f"frame to Telegram, {name}, {load.name}",
                    quantile(delays, share),
                    "ms",
                    "three bare aiokafka hops and a write",
                    quantile(hops, share),
                    goal,
                )
            )
    return rows


async def _measured(broker: KafkaSettings, load: Load) -> tuple[list[float], list[float]]:
    names = coins(_COINS)
    chats = {coin: number for number, coin in enumerate(names, 1)}
    await follow(broker, names)
    await fill(broker, SUBSCRIPTIONS, (_wish(coin, chat) for coin, chat in chats.items()))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        async with (
            _telegram(folder, list(chats.values())) as api,
            venue(folder, _feeds(folder, names, load)) as url,
            reference("hops", sys.executable) as bare,
        ):
            env = {
                "KAFKA_BOOTSTRAP_SERVERS": broker.kafka_bootstrap_servers,
                "EXCHANGE_WS_URLS": f"binance={url}",
                "LOG_LEVEL": "WARNING",
                "ALERT_COOLDOWN_S": "0",
                "ALERTS_PER_DAY": "1000000",
                "ENABLE_AUTO_START": "false",
                "TELEGRAM_BOT_TOKEN": _TOKEN,
                "TELEGRAM_API_URL": api,
                "TELEGRAM_AUTHORIZED_USERS": ",".join(map(str, chats.values())),
            }
            async with AsyncExitStack() as stack:
                for name in reversed(_SERVICES):
                    started = ServiceProcess(name, folder / name, env)
                    await (await stack.enter_async_context(started)).until_ready()
                hops: list[float] = await bare.ask(
                    {
                        "kafka": broker.kafka_bootstrap_servers,
                        "times": _LASTS_S * _TOLD_A_SECOND,
                        "every_s": 1 / _TOLD_A_SECOND,
                    }
                )
            delays = await _delays_ms(broker, api)
            return delays[len(delays) // 10 :], hops[len(hops) // 10 :]


def _feeds(folder: Path, names: Sequence[str], load: Load) -> list[Feed]:
    lasts_s = _LASTS_S + 5
    frames = {
        "trades": ("@aggTrade", agg_trades(names, load.trades * lasts_s, None), load.trades),
        "told": ("!forceOrder", force_orders(names, _TOLD_A_SECOND * lasts_s, 150_000), 10),
        "small": ("!forceOrder", force_orders(names, load.small * lasts_s, 900), load.small),
    }
    feeds = []
    for name, (stream, many, rate) in frames.items():
        file = folder / name
        file.write_bytes(b"\n".join(many))
        feeds.append(Feed(stream, str(file), rate))
    return feeds


def _wish(coin: str, chat_id: int) -> Subscription:
    now_ms = CLOCK.now_ms()
    return Subscription(
        event_id=f"subscription:{chat_id}",
        ts_event_ms=now_ms - 3_600_000,
        ts_recv_ms=now_ms,
        chat_id=chat_id,
        active=True,
        coins=(coin,),
        muted_kinds=("cascade", "volume_spike"),
        changed_by="user",
        announced=True,
    )


@asynccontextmanager
async def _telegram(folder: Path, chats: Sequence[int]) -> AsyncIterator[str]:
    """Run the demo's Telegram with these users in it; yield its address."""
    file = folder / "telegram.json"
    env = {"TELEGRAM_FAKE_TOKEN": _TOKEN, "TELEGRAM_FAKE_ENDPOINTS_FILE": str(file)}
    words = (sys.executable, "-m", "foreshock_simulator.telegram")
    process = await spawn(*words, log=folder / "telegram.log", env=env)
    try:
        await eventually(file.exists, 30)
        api: str = msgspec.json.decode(file.read_bytes())["bot_api"]
        async with httpx.AsyncClient(base_url=api) as http:
            for chat_id in chats:
                said = {"chat_id": chat_id, "text": "hello"}
                (await http.post("/say", json=said)).raise_for_status()
        yield api
    finally:
        process.kill()
        await process.wait()


async def _delays_ms(broker: KafkaSettings, api: str) -> list[float]:
    """Return what lay between each liquidation's frame and Telegram's request, oldest first."""
    address = broker.kafka_bootstrap_servers
    happened = {
        alert.event_id: alert.ts_event_ms
        for record in await records_on(address, ALERTS)
        if isinstance(alert := record.event, Alert)
    }
    sent = {
        (row.chat_id, row.message_id): happened[row.alert_id]
        for record in await records_on(address, DELIVERIES)
        if isinstance(row := record.event, Delivery) and row.state == "SENT"
    }
    arrived: dict[tuple[int, int], int] = {}
    async with httpx.AsyncClient(base_url=api) as http:
        for chat_id in {chat_id for chat_id, _ in sent}:
            inbox = (await http.get("/inbox", params={"chat_id": chat_id})).json()
            arrived |= {(chat_id, each["message_id"]): each["ts_ms"] for each in inbox}
    in_order = sorted(sent.items(), key=itemgetter(1))
    delays = [float(arrived[key] - at_ms) for key, at_ms in in_order if key in arrived]
    if len(delays) < _LASTS_S * _TOLD_A_SECOND / 2:
        raise RuntimeError(f"only {len(delays)} alerts arrived")
    return delays
