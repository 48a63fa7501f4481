"""How a service is, by its own word: asked over HTTP at the address that it announced."""

import contextlib
from pathlib import Path
from typing import Final

import httpx
import msgspec

_PATIENCE_S: Final = 1.0


class _Readiness(msgspec.Struct, frozen=True):
    missing: dict[str, str] = {}


def client() -> httpx.AsyncClient:
    """Return a client for services on this machine, which no proxy is asked for."""
    return httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False)


def address(announced: Path | None) -> str | None:
    """Return where a service says that it answers, once it has said so."""
    if announced is None:
        return None
    with contextlib.suppress(FileNotFoundError):
        return announced.read_text().strip()
    return None


async def lives(http: httpx.AsyncClient, url: str | None) -> bool:
    """Return whether a service's loop turns."""
    with contextlib.suppress(httpx.HTTPError):
        return url is not None and (await http.get(f"{url}/livez")).is_success
    return False


async def unready(http: httpx.AsyncClient, url: str) -> str | None:
    """Return why a service is not ready; nothing if it is."""
    try:
        answer = await http.get(f"{url}/readyz")
    except httpx.HTTPError:
        return "does not answer"
    if answer.is_success:
        return None
    with contextlib.suppress(msgspec.DecodeError):
        missing = msgspec.json.decode(answer.content, type=_Readiness).missing
        return "is not ready: " + "; ".join(f"{part}: {why}" for part, why in missing.items())
    return f"answers {answer.status_code}"
