"""The running stack: started in order (broker, fakes, services), stopped in reverse."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import msgspec

from foreshock_cli import endpoints
from foreshock_cli.endpoints import Endpoints, ServiceEndpoint
from foreshock_cli.lock import held
from foreshock_cli.plan import EMBEDDED_RETENTION_MS, Plan, module_of
from foreshock_cli.processes import Forker, Program
from foreshock_cli.supervisor import Patience, Supervised
from foreshock_kit.admin import ensure_topics
from foreshock_kit.broker import embedded_broker
from foreshock_kit.clock import Clock
from foreshock_kit.errors import Transient
from foreshock_kit.registry import serve_registry
from foreshock_kit.settings import KafkaSettings, load

_POLL_S: Final = 0.05
_FAKE_START_S: Final = 30.0
_REMIND_S: Final = 15.0
_NOTHING_TO_SAVE: Final = Patience(grace_s=0.0)
Say = Callable[[str], None]


class Stack:
    """Everything that `foreshock up` runs, for as long as `run` is not cancelled."""

    def __init__(self, plan: Plan, var: Path, *, say: Say, clock: Clock, logs: bool) -> None:
        self._plan = plan
        self._run = var / "run"
        self._data = var / "broker"
        self._log = None if logs else var / "log"
        self._say = say
        self._clock = clock
        self._forker = Forker()
        self._changed = asyncio.Event()
        self._services: dict[str, Supervised] = {}
        self._file = self._run / "endpoints.json"
        self._lock = self._run / "lock"

    async def run(self, ready: Callable[[Endpoints], None]) -> None:
        """Start everything, call `ready` once, then keep it running until cancelled.

        Raises:
            AlreadyRunning: Another process runs a stack here.
        """
        with held(self._lock):
            self._say("Foreshock is starting (Ctrl-C ends it)")
            await self._run_alone(ready)

    async def _run_alone(self, ready: Callable[[Endpoints], None]) -> None:
        self._prepare()
        self._forker.warm()
        try:
            async with (
                self._broker() as kafka,
                serve_registry("127.0.0.1", 0) as registry,
                self._fakes() as fakes,
            ):
                env = self._plan.env | fakes.env | {"KAFKA_BOOTSTRAP_SERVERS": kafka}
                programs, patience = (
                    self._service_programs(env),
                    Patience(grace_s=self._plan.grace_s),
                )
                async with self._keeping(programs, patience) as services:
                    self._services = {each.program.name: each for each in services}
                    base = self._endpoints(kafka, registry, fakes)
                    await self._keep_current(base, ready)
        finally:
            self._file.unlink(missing_ok=True)

    def _prepare(self) -> None:
        for left in set(self._run.iterdir()) - {self._lock}:
            left.unlink()
        if self._log is not None:
            self._log.mkdir(parents=True, exist_ok=True)
            for old in self._log.glob("*.log"):
                old.unlink()

    @asynccontextmanager
    async def _broker(self) -> AsyncIterator[str]:
        if not self._plan.embedded_broker:
            await ensure_topics(load(KafkaSettings, self._plan.env))
            yield self._plan.env["KAFKA_BOOTSTRAP_SERVERS"]
            return
        async with embedded_broker(self._data) as bootstrap:
            await ensure_topics(
                KafkaSettings(kafka_bootstrap_servers=bootstrap),
                retention_cap_ms=EMBEDDED_RETENTION_MS,
            )
            yield bootstrap

    @asynccontextmanager
    async def _fakes(self) -> AsyncIterator["_Fakes"]:
        market_file, chat_file = self._run / "market.json", self._run / "telegram.json"
        env = _without_token(self._plan.env)
        market_env = env | {"SIM_ENDPOINTS_FILE": str(market_file)}
        chat_env = env | {"TELEGRAM_FAKE_ENDPOINTS_FILE": str(chat_file)}
        programs = []
        if self._plan.simulated_market:
            module = "foreshock_simulator"
            programs.append(self._program("market", module, market_env, market_file))
        if self._plan.telegram_fake:
            module = "foreshock_simulator.telegram"
            programs.append(self._program("telegram", module, chat_env, chat_file))
        async with self._keeping(programs, _NOTHING_TO_SAVE):
            market = await _announced(market_file) if self._plan.simulated_market else {}
            chat = await _announced(chat_file) if self._plan.telegram_fake else {}
            # A restart comes back where everybody looks for it
            if market:
                market_env["SIM_BINANCE_PORT"] = _port(market["binance"])
            if chat:
                chat_env["TELEGRAM_FAKE_PORT"] = _port(chat["bot_api"])
            yield _Fakes(market=market, chat=chat)

    def _service_programs(self, env: dict[str, str]) -> list[Program]:
        programs = []
        for name in self._plan.services:
            announces = self._run / f"{name}.health"
            own = env | {"HEALTH_FILE": str(announces)}
            if name != "telegram-gateway":
                own = _without_token(own)
            programs.append(self._program(name, module_of(name), own, announces))
        return programs

    def _program(self, name: str, module: str, env: dict[str, str], announces: Path) -> Program:
        log = self._log / f"{name}.log" if self._log is not None else None
        return Program(name=name, module=module, env=env, log=log, announces=announces)

    @asynccontextmanager
    async def _keeping(
        self, programs: Iterable[Program], patience: Patience
    ) -> AsyncIterator[list[Supervised]]:
        kept = [Supervised(each, self._forker, self._say, self._clock) for each in programs]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each.keep(patience, self._changed.set)) for each in kept]
            try:
                yield kept
            finally:
                for task in tasks:
                    task.cancel()

    def _endpoints(self, kafka: str, registry: str, fakes: "_Fakes") -> Endpoints:
        return Endpoints(
            kafka=kafka,
            embedded_broker=self._plan.embedded_broker,
            schema_registry=registry,
            services={},
            chat_page=fakes.chat.get("chat_page"),
            bot_api=fakes.chat.get("bot_api"),
            chat_id=self._plan.chat_id,
        )

    async def _keep_current(self, base: Endpoints, ready: Callable[[Endpoints], None]) -> None:
        async with httpx.AsyncClient(timeout=1.0) as client:
            told = False
            while True:
                self._changed.clear()
                services = await self._all_ready(client)
                current = msgspec.structs.replace(base, services=services)
                endpoints.write(self._file, current)
                if not told:
                    ready(current)
                    told = True
                await self._changed.wait()

    async def _all_ready(self, client: httpx.AsyncClient) -> dict[str, ServiceEndpoint]:
        remind = self._clock.monotonic() + _REMIND_S
        while True:
            answers = {name: await _ready(client, each) for name, each in self._services.items()}
            found = {
                name: answer for name, answer in answers.items() if not isinstance(answer, str)
            }
            if len(found) == len(answers):
                return found
            if self._clock.monotonic() > remind:
                waiting = (f"{name} ({a})" for name, a in answers.items() if isinstance(a, str))
                self._say(f"still waiting for {', '.join(waiting)}")
                remind = self._clock.monotonic() + _REMIND_S
            await asyncio.sleep(_POLL_S)


class _Fakes(msgspec.Struct, frozen=True, kw_only=True):
    market: dict[str, str]
    chat: dict[str, str]

    @property
    def env(self) -> dict[str, str]:
        env = {}
        if self.market:
            hosts = sorted(self.market.items())
            env["EXCHANGE_REST_URLS"] = ",".join(f"{name}={url}" for name, url in hosts)
            env["EXCHANGE_WS_URLS"] = ",".join(
                f"{name}={url.replace('http', 'ws', 1)}" for name, url in hosts
            )
        if self.chat:
            env["TELEGRAM_API_URL"] = str(self.chat["bot_api"])
        return env


def _port(url: str) -> str:
    return str(httpx.URL(url).port)


def _without_token(env: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in env.items() if not name.startswith("TELEGRAM_BOT_TOKEN")}


async def _announced(file: Path) -> dict[str, str]:
    try:
        async with asyncio.timeout(_FAKE_START_S):
            while not file.exists():
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise Transient(f"the simulated {file.stem} does not start; see var/log") from None
    found: dict[str, str] = json.loads(file.read_text())
    return found


async def _ready(client: httpx.AsyncClient, service: Supervised) -> ServiceEndpoint | str:
    pid, file = service.pid, service.program.announces
    if pid is None or file is None or not file.exists():
        return "not started"
    url = file.read_text().strip()
    with contextlib.suppress(httpx.HTTPError):
        answer = await client.get(f"{url}/readyz")
        if answer.status_code == httpx.codes.OK:
            return ServiceEndpoint(pid=pid, health=url)
        return answer.text.strip()[:200]
    return "no answer"
