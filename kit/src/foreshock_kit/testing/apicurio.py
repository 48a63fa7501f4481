"""A real schema registry for tests: Apicurio, by its own jars from Maven, kept in memory."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from foreshock_kit.processes import spawn
from foreshock_kit.testing.maven import unpacked
from foreshock_kit.testing.node import HOST, free_port
from foreshock_kit.testing.waiting import eventually

_VERSION: Final = "3.0.9"
_ARTIFACT: Final = f"io.apicurio:apicurio-registry-app:{_VERSION}:tar.gz:all"
_START_S: Final = 90.0


@asynccontextmanager
async def apicurio() -> AsyncIterator[str]:
    """Run a fresh registry on loopback; yields the address of its Confluent-compatible API.

    Raises:
        Permanent: Maven is missing, or cannot fetch it; it says what to do.
        AssertionError: it does not answer within 90 s.
    """
    folder = await unpacked(f"apicurio-{_VERSION}", _ARTIFACT)
    (jar,) = folder.rglob("apicurio-registry-app-*-runner.jar")
    port = free_port()
    url = f"http://{HOST}:{port}/apis/ccompat/v7"
    with tempfile.TemporaryDirectory(prefix="foreshock-registry-") as logs:
        process = await spawn(
            "java",
            "-Xmx256m",
            f"-Dquarkus.http.host={HOST}",
            f"-Dquarkus.http.port={port}",
            "-jar",
            str(jar),
            log=Path(logs) / "log",
        )
        try:
            await eventually(lambda: _answers(url), _START_S)
            yield url
        finally:
            process.kill()
            async with asyncio.timeout(10):
                await process.wait()


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(timeout=2) as http:
        try:
            return (await http.get(f"{url}/subjects")).is_success
        except httpx.TransportError:
            return False
