"""What stands in for the world: a simulated market, and a Telegram to try it on."""

import asyncio
import errno
import json
import socket
from typing import Final

import httpx
import msgspec

from foreshock_cli.plan import Plan
from foreshock_cli.supervisor import Supervised
from foreshock_kit.errors import PortInUse, SettingsInvalid, Transient
from foreshock_kit.http_server import holder_of

MARKET_PORTS: Final = {
    "binance": "SIM_BINANCE_PORT",
    "bybit": "SIM_BYBIT_PORT",
    "okx": "SIM_OKX_PORT",
}
"""The setting of each simulated venue's port."""
CHAT_PORT: Final = "TELEGRAM_FAKE_PORT"
_START_S: Final = 30.0
_PORTS: Final = 65_536
_POLL_S: Final = 0.05


class Fakes(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fakes answer; empty for each that there is not."""

    market: dict[str, str]
    chat: dict[str, str]

    @property
    def env(self) -> dict[str, str]:
        """What services have to be told to talk to them."""
        env = {}
        if self.market:
            hosts = sorted(self.market.items())
            env["EXCHANGE_REST_URLS"] = ",".join(f"{name}={url}" for name, url in hosts)
            env["EXCHANGE_WS_URLS"] = ",".join(
                f"{name}={url.replace('http', 'ws', 1)}" for name, url in hosts
            )
        if self.chat:
            env["TELEGRAM_API_URL"] = self.chat["bot_api"]
        return env

    @property
    def ports(self) -> dict[str, str]:
        """What they have to be told to come back where everybody looks for them."""
        urls = {setting: self.market.get(name) for name, setting in MARKET_PORTS.items()}
        urls[CHAT_PORT] = self.chat.get("bot_api")
        return {name: str(httpx.URL(url).port) for name, url in urls.items() if url}


def port_problems(plan: Plan) -> list[str]:
    """Return what is wrong with the ports that were asked for, a line each."""
    asked = _asked(plan)
    problems = [
        f"{name} is wrong: {text!r} is not a whole number from 0 to {_PORTS - 1}"
        for name, text in asked.items()
        if not text.isdecimal() or int(text) >= _PORTS
    ]
    by_port: dict[str, list[str]] = {}
    for name, text in asked.items():
        by_port.setdefault(text, []).append(name)
    return problems + [
        f"{' and '.join(names)} are the same: {port}"
        for port, names in by_port.items()
        if len(names) > 1 and port != "0"
    ]


def check_ports(plan: Plan) -> None:
    """See to it that the ports which were asked for are free.

    Raises:
        PortInUse: One is not; it says who has it.
    """
    for text in _asked(plan).values():
        if _taken(int(text)):
            raise PortInUse(int(text), holder_of(int(text)))


def _asked(plan: Plan) -> dict[str, str]:
    wanted = dict.fromkeys(MARKET_PORTS.values(), plan.simulated_market)
    wanted[CHAT_PORT] = plan.telegram_fake
    return {name: plan.env[name] for name, used in wanted.items() if used and plan.env.get(name)}


async def announced(fake: Supervised) -> dict[str, str]:
    """Return what a fake says about where it answers.

    Raises:
        SettingsInvalid: It has given up.
        Transient: It does not say so in time.
    """
    name, file = fake.program.name, fake.program.announces
    try:
        async with asyncio.timeout(_START_S):
            while file is None or not file.exists():
                if fake.gave_up:
                    raise SettingsInvalid((f"the simulated {name} cannot start",))
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise Transient(f"the simulated {name} does not start; see var/log") from None
    found: dict[str, str] = json.loads(file.read_text())
    return found


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as e:
            return e.errno == errno.EADDRINUSE
    return False
