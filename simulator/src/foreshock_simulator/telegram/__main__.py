import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import msgspec

from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.telegram.server import serve
from foreshock_simulator.telegram.settings import Settings, SettingsInvalid, load


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _write_endpoints(path: Path, base: str, chat_id: int) -> None:
    endpoints = {"bot_api": base, "chat_page": f"{base}/", "chat_id": chat_id}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(endpoints))
    draft.replace(path)


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    fake = Fake(
        chat_id=settings.chat_id,
        user_name=settings.user_name,
        now_ms=_now_ms,
        token=settings.token,
    )
    path = settings.endpoints_path
    async with serve(fake, settings.port) as base:
        print(f"Telegram fake: chat page {base}/", flush=True)  # noqa: T201 - its one line
        if path is not None:
            _write_endpoints(path, base, settings.chat_id)
        await stop.wait()
    if path is not None:
        path.unlink(missing_ok=True)


def main() -> int:
    """Serve until SIGTERM or SIGINT; 78 for bad settings, 1 for a port that is taken."""
    try:
        settings = load(os.environ)
        asyncio.run(_run(settings))
    except SettingsInvalid as e:
        print(e, file=sys.stderr)  # noqa: T201 - there is no log yet
        return 78
    except OSError as e:
        print(f"Telegram fake: {e.strerror or e}", file=sys.stderr)  # noqa: T201 - ends here
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
