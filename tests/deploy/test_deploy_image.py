"""The image is built by podman, and a service of it runs as compose would run it.

`PYTHON_IMAGE` names its base. Without it one is made by debootstrap, where that is installed, so
that no registry has to answer; else it is the Dockerfile's own, and where that cannot be pulled
these tests are skipped. `STORAGE_DRIVER=vfs` is slower, and works where overlayfs does not.
"""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from foreshock_kit.testing import eventually
from foreshock_kit.testing.podman import Podman

pytestmark = [pytest.mark.podman, pytest.mark.asyncio(loop_scope="session")]

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/Dockerfile"
MEMBERS = tuple(ROOT.glob("*/pyproject.toml"))
IMAGE = "localhost/foreshock:test"
BASE = "localhost/python:test"
PACKAGES = "python3,python3-venv,ca-certificates"
CONFINED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")
LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
CERTIFICATES = "/etc/ssl/certs"


def confined(podman: Podman, *words: str) -> str:
    return podman("run", "--rm", "--network=host", *CONFINED, *LIMITS, *words)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def podman() -> AsyncIterator[Podman]:
    with tempfile.TemporaryDirectory(prefix="foreshock-podman-") as name:
        folder = Path(name)
        made = Podman(folder)
        try:
            build(made, base_image(made, folder))
            yield made
            await eventually(lambda: not at_work_in(folder), 30)
        finally:
            made.close()


def build(podman: Podman, base: str) -> None:
    podman(
        *("build", "--isolation=chroot", "--format=docker", "--network=host", *LIMITS),
        f"--build-arg=PYTHON_IMAGE={base}",
        f"--volume={CERTIFICATES}:{CERTIFICATES}:ro",
        *("-f", str(DOCKERFILE), "-t", IMAGE, str(ROOT)),
    )


def at_work_in(folder: Path) -> bool:
    """Return whether podman still tidies up after containers that have ended."""
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder) in words.read_text():
                return True
    return False


def base_image(podman: Podman, folder: Path) -> str:
    if given := os.environ.get("PYTHON_IMAGE"):
        return given
    return debian(podman, folder) if shutil.which("debootstrap") else pulled(podman)


def debian(podman: Podman, folder: Path) -> str:
    system = folder / "system"
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", system]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    with tarfile.open(folder / "system.tar", "w") as archive:
        archive.add(system, arcname=".")
    podman("import", str(folder / "system.tar"), BASE)
    return BASE


def pulled(podman: Podman) -> str:
    (named,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    if podman.ask("pull", named).returncode:
        pytest.skip("the base image cannot be pulled here: install debootstrap to make one")
    return named


async def test_a_service_gets_ready_tells_its_health_and_stops_cleanly(
    podman, bootstrap, unused_tcp_port
):
    told = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "HEALTH_PORT": str(unused_tcp_port)}
    name = podman(
        *("run", "--detach", "--network=host", *CONFINED, *LIMITS),
        *(f"--env={setting}={value}" for setting, value in told.items()),
        *(IMAGE, "python", "-m", "alert_router"),
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}") as http:

            async def ready() -> bool:
                try:
                    return (await http.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await eventually(ready, 30)
        podman("healthcheck", "run", name)
        podman("stop", "--time=30", name)
        assert podman("inspect", "--format={{.State.ExitCode}}", name) == "0"
    finally:
        podman("rm", "--force", name)


async def test_the_health_check_fails_where_nothing_is_ready(podman):
    name = podman("run", "--detach", "--network=none", *CONFINED, *LIMITS, IMAGE, "sleep", "60")
    try:
        assert podman.ask("healthcheck", "run", name).returncode == 1
    finally:
        podman("rm", "--force", "--time=0", name)


async def test_the_topics_job_finds_them_all(podman, bootstrap):
    said = confined(
        podman,
        f"--env=KAFKA_BOOTSTRAP_SERVERS={bootstrap}",
        IMAGE,
        "foreshock",
        "topics",
        "--create",
    )
    assert "the broker has them all" in said


async def test_nobody_in_it_is_root(podman):
    assert confined(podman, IMAGE, "id", "-u") == "10001"


async def test_it_holds_our_members_and_what_the_lock_has_but_no_tool_of_development(podman):
    listing = "print(*{f'{d.name.lower()}=={d.version}' for d in metadata.distributions()})"
    listed = confined(podman, IMAGE, "python", "-c", f"from importlib import metadata; {listing}")
    held = {name.replace("_", "-").replace(".", "-") for name in listed.split()}
    members = {tomllib.loads(file.read_text())["project"]["name"] for file in MEMBERS}
    ours = {each for each in held if each.partition("==")[0] in members}
    locked = re.findall(r"^\S+==[^ ;]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert len(ours) == len(members)
    assert held - ours <= {name.replace("_", "-").replace(".", "-") for name in locked}
    assert not {"pip", "pytest", "mypy", "uv"} & {each.partition("==")[0] for each in held}


async def test_wrong_settings_end_it_with_a_line_that_says_so(podman):
    ended = podman.ask(
        *("run", "--rm", "--network=none", *CONFINED, *LIMITS),
        *(IMAGE, "python", "-m", "telegram_gateway"),
    )
    assert ended.returncode == 78
    assert "TELEGRAM_BOT_TOKEN is missing" in ended.stderr
