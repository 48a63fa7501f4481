"""podman with a store of its own, which works within a container and without systemd, too."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from foreshock_kit.errors import Permanent, Transient

_COMMAND_S: Final = 900.0
_START_S: Final = 30.0
_CONFIG: Final = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
"""


class Podman:
    """Runs podman's commands on a store in `folder`.

    `STORAGE_DRIVER=vfs` is slower, and works where overlayfs does not.
    """

    def __init__(self, folder: Path) -> None:
        self._mounted = folder / "store" / "overlay"
        self._config = folder / "containers.conf"
        runtime = f'runtime = "{found}"\n' if (found := shutil.which("runc")) else ""
        self._config.write_text(_CONFIG + runtime)
        self._command = (
            "podman",
            f"--root={folder / 'store'}",
            f"--runroot={folder / 'run'}",
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """What every podman of this store is told."""
        return os.environ | {"CONTAINERS_CONF": str(self._config)}

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command; return what it said and its exit code.

        Raises:
            Permanent: podman is missing; it says what to install.
        """
        if shutil.which("podman") is None:
            raise Permanent("no podman here: `apt-get install podman runc`")
        return subprocess.run(  # noqa: S603
            [*self._command, *words],
            capture_output=True,
            text=True,
            timeout=_COMMAND_S,
            env=self.environment,
            check=False,
        )

    def __call__(self, *words: str) -> str:
        """Run a command and return what it said.

        Raises:
            Permanent: podman is missing, or refuses; with its own words.
        """
        done = self.ask(*words)
        if done.returncode:
            raise Permanent(f"podman {words[0]}: {done.stderr.strip()[-2_000:]}")
        return done.stdout.strip()

    def close(self) -> None:
        """Let go of the store, so that its folder can be removed."""
        mounts = Path("/proc/self/mounts")  # the store is mounted on itself: `is_mount` sees none
        if mounts.exists() and f" {self._mounted} " in mounts.read_text():
            subprocess.run(["umount", str(self._mounted)], check=True, timeout=_START_S)  # noqa: S603, S607

    @contextmanager
    def docker_api(self, socket: Path) -> Iterator[str]:
        """Answer Docker's API on a socket while the block runs; yields a `DOCKER_HOST`.

        Raises:
            Transient: it does not listen within 30 s.
        """
        address = f"unix://{socket}"
        process = subprocess.Popen(  # noqa: S603
            [*self._command, "system", "service", "--time=0", address], env=self.environment
        )
        try:
            _until_there(socket, process)
            yield address
        finally:
            process.terminate()
            process.wait(_START_S)


def _until_there(socket: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(round(_START_S / 0.1)):
        if socket.is_socket():
            return
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise Transient("podman's Docker API does not listen")
