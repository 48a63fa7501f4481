"""What tests that cross members share: a broker, a chat, a gateway, the whole stack."""

import asyncio
import itertools
import json
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from foreshock_kit.admin import ensure_topics
from foreshock_kit.clock import SystemClock
from foreshock_kit.environment import Secret
from foreshock_kit.kafka import Publisher, Record
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing import eventually, records_on
from foreshock_kit.testing.broker import broker
from foreshock_kit.testing.process import bare_environment
from foreshock_schemas.events import Alert, Delivery, Liquidation, Subscription
from foreshock_schemas.topics import DELIVERIES, SUBSCRIPTIONS, Topic
from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.telegram.server import serve
from telegram_gateway.service import SERVICE
from telegram_gateway.settings import Settings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bootstrap() -> AsyncIterator[str]:
    async with broker() as address:
        await ensure_topics(KafkaSettings(kafka_bootstrap_servers=address))
        yield address


TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeF"
CHATS = itertools.count(1_000)
NUMBERS = itertools.count(1)
CLOCK = SystemClock()


class World:
    """A user's chat in the fake, and what goes through the broker."""

    def __init__(self, bootstrap: str, fake: Fake, base: str) -> None:
        self.chat_id = fake.chat_id
        self.token = TOKEN
        self.bootstrap = bootstrap
        self.fake = fake
        self.base = base
        self.http = httpx.AsyncClient(base_url=base, timeout=5)

    @asynccontextmanager
    async def gateway(self, *others: int, **settings) -> AsyncIterator[Context]:
        """Run the gateway's service while the block runs, for this chat and others."""
        context = Context(SERVICE.name)
        told = Settings(
            kafka_bootstrap_servers=self.bootstrap,
            telegram_bot_token=Secret(TOKEN),
            telegram_api_url=self.base,
            telegram_authorized_users=(self.chat_id, *others),
            telegram_timeout_s=settings.pop("timeout_s", 0.5),
            **settings,
        )
        async with asyncio.timeout(40), asyncio.TaskGroup() as group:
            running = group.create_task(SERVICE.run(told, context))
            await eventually(lambda: context.health.ready or running.done())
            try:
                yield context
            finally:
                context.stop.set()

    def new_chat(self) -> int:
        return next(CHATS)

    def now_ms(self) -> int:
        return CLOCK.now_ms()

    async def publish(self, topic, *events) -> None:
        settings = KafkaSettings(kafka_bootstrap_servers=self.bootstrap)
        async with Publisher(settings, "test", CLOCK) as publisher:
            for event in events:
                await publisher.publish(topic, event)

    async def subscribe(self, *others: int) -> None:
        """Let this chat and others have had alerts for a while, by their own word."""
        for chat_id in (self.chat_id, *others):
            settings = Subscription(
                event_id=f"subscription:{next(NUMBERS)}",
                ts_event_ms=CLOCK.now_ms() - 3_600_000,
                ts_recv_ms=CLOCK.now_ms(),
                chat_id=chat_id,
                active=True,
                changed_by="user",
                announced=True,
            )
            await self.publish(SUBSCRIPTIONS, settings)

    def alert(self, *, chat_id=None, **fields) -> Alert:
        number, now_ms = next(NUMBERS), CLOCK.now_ms()
        values = {
            "event_id": f"alert:{number}",
            "ts_event_ms": now_ms,
            "ts_recv_ms": now_ms,
            "incident_id": f"incident:{number}",
            "revision": 1,
            "chat_id": chat_id or self.chat_id,
            "coin": "BTC",
            "kind": "cascade",
            "severity": "warning",
            "title": f"BTC · number {number}",
            "lines": ("BTC: <9M> of longs & more",),
            "signal_ids": ("signal:1",),
            "expires_ms": now_ms + 600_000,
        }
        return Alert(**(values | fields))

    def liquidation(self, **fields) -> Liquidation:
        number, now_ms = next(NUMBERS), CLOCK.now_ms()
        values = {
            "event_id": f"liquidation:{number}",
            "ts_event_ms": now_ms,
            "ts_recv_ms": now_ms,
            "exchange": "binance",
            "symbol": "BTCUSDT",
            "coin": "BTC",
            "position": "long",
            "price": 50_000.0,
            "size_coins": 1.0,
            "notional_usd": 50_000.0,
            "coverage": "full",
        }
        return Liquidation(**(values | fields))

    async def say(self, text: str, chat_id: int | None = None) -> None:
        said = {"chat_id": chat_id or self.chat_id, "text": text}
        (await self.http.post("/say", json=said)).raise_for_status()

    async def order(self, **fault) -> None:
        (await self.http.post("/_fake/fault", json=fault)).raise_for_status()

    async def inbox(self, chat_id: int | None = None) -> list[str]:
        answer = await self.http.get("/inbox", params={"chat_id": chat_id or self.chat_id})
        return [message["text"] for message in answer.json()] if answer.is_success else []

    async def got(
        self, part: str, times: int = 1, chat_id: int | None = None, within_s: float = 30.0
    ) -> None:
        """Wait until messages with `part` in them are there, and see that no more are."""

        async def enough() -> bool:
            return sum(part in text for text in await self.inbox(chat_id)) >= times

        await eventually(enough, within_s)
        assert sum(part in text for text in await self.inbox(chat_id)) == times

    def skipped(self, reason: str) -> float:
        """Return how many alerts the gateways of this process have passed over."""
        name = "foreshock_telegram_gateway_skipped_total"
        return REGISTRY.get_sample_value(name, {"reason": reason}) or 0.0

    async def rows(self, alert: Alert) -> list[Delivery]:
        found = [record.event for record in await records_on(self.bootstrap, DELIVERIES)]
        return [row for row in found if row.alert_id == alert.event_id]

    async def states(self, alert: Alert) -> list[str]:
        return [row.state for row in await self.rows(alert)]

    async def reached(self, alert: Alert, state: str) -> None:
        async def there() -> bool:
            return (await self.states(alert))[-1:] == [state]

        await eventually(there, 20)


@pytest.fixture
async def world(bootstrap):
    fake = Fake(chat_id=next(CHATS), user_name="Anna", now_ms=CLOCK.now_ms, token=TOKEN)
    async with serve(fake) as base:
        made = World(bootstrap, fake, base)
        async with made.http:
            yield made


class Stack:
    """A running `foreshock up`, and what it says of itself."""

    def __init__(self, root: Path, env: dict[str, str], process: Process) -> None:
        self.root = root
        self.env = env
        self.process = process
        self.http = httpx.AsyncClient(timeout=5)

    @property
    def endpoints(self) -> dict:
        return json.loads((self.root / "var/run/endpoints.json").read_text())

    @property
    def markets(self) -> dict[str, str]:
        return json.loads((self.root / "var/run/market.json").read_text())

    async def inbox(self) -> list[dict]:
        ends = self.endpoints
        url = f"{ends['bot_api']}/inbox"
        return (await self.http.get(url, params={"chat_id": ends["chat_id"]})).json()

    async def records(self, topic: Topic) -> list[Record]:
        return await records_on(self.endpoints["kafka"], topic)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory) -> AsyncIterator[Stack]:
    """Run the demo, whatever this environment would tell it, and end it as Ctrl-C does."""
    root = tmp_path_factory.mktemp("stack")
    env = bare_environment()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "foreshock_cli", "up", cwd=root, env=env, start_new_session=True
    )
    made = Stack(root, env, process)
    try:
        file = root / "var/run/endpoints.json"
        await eventually(lambda: file.exists() or process.returncode is not None, 60)
        async with made.http:
            yield made
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(20):
                await process.wait()
