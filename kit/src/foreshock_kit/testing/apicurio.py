"""A real schema registry for tests: Apicurio, by its own jars from Maven, kept in memory."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import httpx

from foreshock_kit.errors import Permanent
from foreshock_kit.processes import spawn
from foreshock_kit.testing.maven import check_java, unpacked
from foreshock_kit.testing.node import HOST, free_ports
from foreshock_kit.testing.waiting import eventually

_VERSION: Final = "3.0.9"
_ARTIFACT: Final = f"io.apicurio:apicurio-registry-app:{_VERSION}:tar.gz:all"
_START_S: Final = 90.0


@asynccontextmanager
async def apicurio() -> AsyncIterator[str]:
    """Run a fresh registry on loopback; yields the address of its Confluent-compatible API.

    Raises:
        Permanent: there is no JVM or Maven, or it cannot run; it says what to do.
        AssertionError: it does not answer within 90 s.
    """
    check_java("Apicurio Registry")
    folder = await unpacked(f"apicurio-{_VERSION}", _ARTIFACT)
    (jar,) = folder.rglob("apicurio-registry-app-*-runner.jar")
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}/apis/ccompat/v7"
    with tempfile.TemporaryDirectory(prefix="foreshock-registry-") as logs:
        log = Path(logs) / "log"
        process = await spawn(
            "java",
            "-Xmx256m",
            f"-Dquarkus.http.host={HOST}",
            f"-Dquarkus.http.port={port}",
            "-jar",
            str(jar),
            log=log,
        )
        try:
            await eventually(lambda: process.returncode is not None or _answers(url), _START_S)
            if process.returncode is not None:
                raise Permanent(f"Apicurio Registry cannot run: {log.read_text()[-1_000:]}")
            yield url
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            async with asyncio.timeout(10):
                await process.wait()


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(timeout=2) as http:
        try:
            return (await http.get(f"{url}/subjects")).is_success
        except httpx.TransportError:
            return False
