"""Programs of the JVM, as Maven brings them, kept in a cache for the next run."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from foreshock_kit.errors import Permanent
from foreshock_kit.logs import get_logger

_FETCH_S: Final = 600.0
_PROJECT: Final = """\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>foreshock</groupId><artifactId>jars</artifactId><version>1</version>
  <dependencies>{}</dependencies>
</project>
"""
_DEPENDENCY: Final = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)

_log = get_logger(__name__)


def check_java(what: str) -> None:
    """See that there is a JVM.

    Raises:
        Permanent: There is none; it says what to install.
    """
    if shutil.which("java") is None:
        raise Permanent(
            f"{what} needs a JVM and Maven: `apt-get install openjdk-17-jre-headless maven`"
        )


async def jars(name: str, artifacts: Sequence[str]) -> Path:
    """Return a folder with these artifacts' jars and those that they need.

    Args:
        name: The folder's name in the cache (`XDG_CACHE_HOME`, or ~/.cache), with its version.
        artifacts: "group:artifact:version" each.

    Raises:
        Permanent: Maven is missing, or cannot fetch them; it says what to do.
    """
    async with _cached(name) as (folder, fresh):
        if fresh is not None:
            project = fresh / "pom.xml"
            wanted = (_DEPENDENCY.format(*artifact.split(":")) for artifact in artifacts)
            project.write_text(_PROJECT.format("".join(wanted)))
            await _maven(
                "dependency:copy-dependencies", f"-DoutputDirectory={fresh}", "-f", str(project)
            )
    return folder


async def unpacked(name: str, artifact: str) -> Path:
    """Return a folder with what is in an archive ("group:artifact:version:type:classifier").

    Raises:
        Permanent: Maven is missing, or cannot fetch it; it says what to do.
    """
    async with _cached(name) as (folder, fresh):
        if fresh is not None:
            await _maven("dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={fresh}")
            (archive,) = fresh.iterdir()
            await asyncio.to_thread(shutil.unpack_archive, archive, fresh, filter="data")
            archive.unlink()
    return folder


@asynccontextmanager
async def _cached(name: str) -> AsyncIterator[tuple[Path, Path | None]]:
    """Yield the folder and, if it is not there yet, one to fill, which then takes its place."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foreshock"
    folder = cache / name
    if folder.exists():
        yield folder, None
        return
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=cache) as fresh:
        _log.info("fetching", what=name, into=str(folder))
        yield folder, Path(fresh)
        if not folder.exists():
            Path(fresh).rename(folder)
            Path(fresh).mkdir()


async def _maven(*words: str) -> None:
    program = shutil.which("mvn")
    if program is None:
        raise Permanent(
            "no Maven here to fetch what tests need: install it (`apt-get install maven`)"
        )
    async with asyncio.timeout(_FETCH_S):
        process = await asyncio.create_subprocess_exec(
            program,
            "--batch-mode",
            "--quiet",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    if process.returncode:
        raise Permanent(
            f"Maven cannot fetch {' '.join(words[1:2])}: {said.decode().strip()[-500:]}"
        )
