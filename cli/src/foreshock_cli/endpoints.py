"""`var/run/endpoints.json`: where everything answers, for tools and tests outside."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class ServiceEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One service's process, and the base URL of its /livez, /readyz and /metrics."""

    pid: int
    health: str


class Endpoints(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the running stack answers. Without fakes there is no chat page and no chat.

    `exchanges` are the REST hosts of those followed.
    """

    kafka: str
    embedded_broker: bool = False
    schema_registry: str
    services: Mapping[str, ServiceEndpoint]
    exchanges: Mapping[str, str] = {}
    chat_page: str | None = None
    bot_api: str | None = None
    chat_id: int | None = None


def write(file: Path, endpoints: Endpoints) -> None:
    """Replace the file at one stroke; only its owner may read it."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(endpoints), indent=1))
    fresh.replace(file)
