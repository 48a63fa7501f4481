"""Every query of the dashboard, asked of a real Prometheus that scrapes the running demo."""

import asyncio
import json
import math
import shutil
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import yaml

from foreshock_cli.plan import DEMO_EXCHANGES, SERVICES
from foreshock_kit.testing import eventually
from foreshock_kit.testing.node import free_ports

pytestmark = [pytest.mark.prometheus, pytest.mark.asyncio(loop_scope="module")]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/overview.json").read_text())
SCRAPED_EVERY = "1s"
WINDOWS = {"$__rate_interval": "4s", "$__range": "15m"}
FIRST_ALERT_S = 90


class Prometheus:
    """A running server; `find` answers a query of Grafana's."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http

    async def ready(self) -> bool:
        try:
            return (await self._http.get(f"{self._url}/-/ready")).is_success
        except httpx.TransportError:
            return False

    async def find(self, query: str) -> list[tuple[dict, float]]:
        """Return labels and value of each series; one without a number counts as none."""
        for word, window in WINDOWS.items():
            query = query.replace(word, window)
        answer = (await self._http.get(f"{self._url}/api/v1/query", params={"query": query})).json()
        assert answer["status"] == "success", answer
        found = [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]
        return [(labels, value) for labels, value in found if math.isfinite(value)]


def config_for(endpoints: dict) -> str:
    """Return deploy/'s configuration with the demo's addresses in place of the containers'."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": SCRAPED_EVERY, "scrape_timeout": SCRAPED_EVERY}
    for job in config["scrape_configs"]:
        for target in job["static_configs"]:
            health = endpoints["services"][target["labels"]["service"]]["health"]
            target["targets"] = [health.removeprefix("http://")]
    return yaml.safe_dump(config)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(stack, tmp_path_factory) -> AsyncIterator[Prometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail("there is no Prometheus here: install it (Debian: apt-get install prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(config_for(stack.endpoints))
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(timeout=5) as http:
            made = Prometheus(f"http://{address}", http)
            await eventually(lambda: process.returncode is not None or made.ready(), 20)
            assert process.returncode is None, (folder / "log").read_text()
            yield made
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(20):
            await process.wait()


@pytest.mark.parametrize(
    ("title", "query"),
    [
        (panel["title"], target["expr"])
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    ],
)
async def test_no_query_of_the_dashboard_is_empty(prometheus, title, query):
    await eventually(lambda: prometheus.find(query), FIRST_ALERT_S)


async def test_every_service_is_up_and_every_feed_is_told_of(prometheus):
    async def all_up() -> bool:
        found = await prometheus.find("up == 1")
        return {labels["service"] for labels, _ in found} == set(SERVICES)

    async def all_live() -> bool:
        found = await prometheus.find('foreshock_feed_state{channel!="liquidations"} == 1')
        told = {
            (labels["exchange"], labels["channel"]): labels["foreshock_feed_state"]
            for labels, _ in found
        }
        return told == dict.fromkeys(product(DEMO_EXCHANGES, ("trades", "open-interest")), "LIVE")

    await eventually(all_up)
    await eventually(all_live, FIRST_ALERT_S)
    liquidations = await prometheus.find('foreshock_feed_state{channel="liquidations"} == 1')
    assert {labels["exchange"] for labels, _ in liquidations} == set(DEMO_EXCHANGES)


async def test_alerts_reach_telegram_in_time(prometheus):
    (panel,) = [each for each in DASHBOARD["panels"] if each["title"] == "From event to Telegram"]
    for target in panel["targets"]:
        await eventually(lambda query=target["expr"]: prometheus.find(query), FIRST_ALERT_S)
        ((_, seconds),) = await prometheus.find(target["expr"])
        assert 0 < seconds < 3
