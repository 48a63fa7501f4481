"""The running stack: started in order (broker, fakes, services), stopped in reverse."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from foreshock_cli import asking
from foreshock_cli.announcer import Announcer
from foreshock_cli.checking import check_settings
from foreshock_cli.connect import dotenv_names
from foreshock_cli.endpoints import Endpoints
from foreshock_cli.fakes import Fakes, announced, check_ports, port_problems
from foreshock_cli.lock import held
from foreshock_cli.misspelt import misspelt
from foreshock_cli.plan import SERVICES, Plan, embedded_retention_ms, module_of
from foreshock_cli.processes import Forker
from foreshock_cli.program import Program
from foreshock_cli.reach import hosts_of
from foreshock_cli.supervisor import Patience, Supervised
from foreshock_kit.admin import ensure_topics
from foreshock_kit.backoff import Backoff
from foreshock_kit.broker import BrokerDied, EmbeddedBroker, watched_broker
from foreshock_kit.clock import Clock
from foreshock_kit.environment import load
from foreshock_kit.errors import SettingsInvalid, Transient
from foreshock_kit.registry import serve_registry
from foreshock_kit.settings import KafkaSettings

_PAUSES: Final = Backoff(first_s=0.25, longest_s=5.0)
_PATIENCE: Final = Patience()
Say = Callable[[str], None]
Lives = Callable[[Program], Awaitable[bool]]


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
        self._lock = self._run / "lock"

    async def run(self, ready: Callable[[Endpoints], None]) -> None:
        """Start everything, call `ready` once, then keep it running until cancelled.

        Raises:
            AlreadyRunning: Another process runs a stack here.
            PortInUse: A fake's port is taken.
            SettingsInvalid: A service does not take its settings.
            BrokerDied: The embedded broker has, and nothing can go on without it.
        """
        with held(self._lock):
            self._say("Foreshock is starting (Ctrl-C ends it)")
            self._sweep()
            shutil.rmtree(self._data, ignore_errors=True)  # what a killed one has left
            try:
                await self._run_alone(ready)
            finally:
                self._sweep()

    async def _run_alone(self, ready: Callable[[Endpoints], None]) -> None:
        self._empty_logs()
        await self._check_settings()
        check_ports(self._plan)
        async with (
            asking.client() as http,
            self._broker() as kafka,
            self._registry() as registry,
            self._fakes() as fakes,
        ):
            env = self._plan.env | fakes.env | {"KAFKA_BOOTSTRAP_SERVERS": kafka}
            programs = self._service_programs(env)
            async with self._keeping(programs, partial(_lives, http)) as services:
                await Announcer(
                    self._run / "endpoints.json",
                    self._endpoints(kafka, registry, fakes),
                    {each.program.name: each for each in services},
                    say=self._say,
                    clock=self._clock,
                ).keep(http, self._changed, ready)

    async def _check_settings(self) -> None:
        programs = self._service_programs(self._plan.env)
        checked = await check_settings(self._forker, programs, self._run)
        if len(programs) == len(SERVICES):
            for line in misspelt(checked.names, dotenv_names(), os.environ):
                self._say(f"{line} (it is ignored)")
        if problems := (*checked.problems, *port_problems(self._plan)):
            raise SettingsInvalid(problems)

    def _sweep(self) -> None:
        for left in set(self._run.iterdir()) - {self._lock}:
            left.unlink(missing_ok=True)

    def _empty_logs(self) -> None:
        if self._log is not None:
            self._log.mkdir(parents=True, exist_ok=True)
            for old in self._log.glob("*.log"):
                old.unlink()

    @asynccontextmanager
    async def _broker(self) -> AsyncIterator[str]:
        if not self._plan.embedded_broker:
            await self._reach(load(KafkaSettings, self._plan.env))
            yield self._plan.env["KAFKA_BOOTSTRAP_SERVERS"]
            return
        async with watched_broker(self._data) as broker, asyncio.TaskGroup() as group:
            watching = group.create_task(self._end_with(broker))
            await ensure_topics(
                KafkaSettings(kafka_bootstrap_servers=broker.address),
                cap_ms=embedded_retention_ms,
            )
            yield broker.address
            watching.cancel()

    @asynccontextmanager
    async def _registry(self) -> AsyncIterator[str]:
        """Serve the registry file, unless records have the ids of a registry that was named."""
        if named := self._plan.env.get("SCHEMA_REGISTRY_URL"):
            yield named
            return
        async with serve_registry("127.0.0.1", 0) as url:
            yield url

    async def _reach(self, settings: KafkaSettings) -> None:
        """Have the topics on the broker that was named, once it answers."""
        failures = 0
        while True:
            try:
                await ensure_topics(settings)
            except Transient as e:
                failures += 1
                if failures == 1:
                    self._say(f"{e}; trying again until it answers")
                await asyncio.sleep(_PAUSES.delay(failures))
            else:
                return

    async def _end_with(self, broker: EmbeddedBroker) -> None:
        try:
            await broker.died()
        except BrokerDied:
            self._say("the broker is gone: stopping everything")
            raise

    @asynccontextmanager
    async def _fakes(self) -> AsyncIterator[Fakes]:
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
        async with self._keeping(programs) as kept:
            said = {fake.program.name: await announced(fake) for fake in kept}
            fakes = Fakes(market=said.get("market", {}), chat=said.get("telegram", {}))
            for each in kept:
                each.program.env.update(fakes.ports)
            yield fakes

    def _service_programs(self, env: dict[str, str]) -> list[Program]:
        programs = []
        for name in self._plan.services:
            announces = self._run / f"{name}.health"
            own = env | {"HEALTH_FILE": str(announces), "HEALTH_PORT": "0"}
            if name != "telegram-gateway":
                own = _without_token(own)
            grace_s = self._plan.grace_s
            programs.append(self._program(name, module_of(name), own, announces, grace_s))
        return programs

    def _program(
        self, name: str, module: str, env: dict[str, str], announces: Path, grace_s: float = 0.0
    ) -> Program:
        log = self._log / f"{name}.log" if self._log is not None else None
        return Program(
            name=name, module=module, env=env, log=log, announces=announces, grace_s=grace_s
        )

    @asynccontextmanager
    async def _keeping(
        self, programs: Iterable[Program], lives: Lives | None = None
    ) -> AsyncIterator[list[Supervised]]:
        kept = [Supervised(each, self._forker, self._say, self._clock, lives) for each in programs]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each.keep(_PATIENCE, self._changed.set)) for each in kept]
            try:
                yield kept
            finally:
                for task in tasks:
                    task.cancel()

    def _endpoints(self, kafka: str, registry: str, fakes: Fakes) -> Endpoints:
        return Endpoints(
            kafka=kafka,
            embedded_broker=self._plan.embedded_broker,
            schema_registry=registry,
            services={},
            exchanges=hosts_of(self._plan.env | fakes.env),
            chat_page=fakes.chat.get("chat_page"),
            bot_api=fakes.chat.get("bot_api"),
            chat_id=self._plan.chat_id,
        )


def _without_token(env: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in env.items() if not name.startswith("TELEGRAM_BOT_TOKEN")}


async def _lives(http: httpx.AsyncClient, program: Program) -> bool:
    return await asking.lives(http, asking.address(program.announces))
