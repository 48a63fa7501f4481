"""Whether a service lives and whether it is ready, for people, Prometheus and orchestrators."""

from collections.abc import Mapping
from typing import Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from foreshock_kit.http_server import Answer, Response

_JSON: Final = "application/json"


class Part(msgspec.Struct, frozen=True):
    """One thing that readiness rests on."""

    ok: bool
    why: str = ""


class Health:
    """The parts of a service's readiness."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}

    @property
    def ready(self) -> bool:
        """Whether every part is well, and there is one."""
        return bool(self.parts) and all(part.ok for part in self.parts.values())

    def set(self, part: str, *, ok: bool, why: str = "") -> None:
        """Say how a part is."""
        self.parts[part] = Part(ok, why)

    def routes(self) -> dict[str, Answer]:
        """Return what answers /livez, /readyz and /metrics.

        /livez answers as long as the event loop turns and asks nobody else, so that a broker
        that is down does not restart the fleet.
        """
        return {"/livez": _live, "/readyz": self._readiness, "/metrics": _metrics}

    def _readiness(self, _path: str, _query: Mapping[str, str]) -> Response:
        missing = {
            name: part.why or "not ready" for name, part in self.parts.items() if not part.ok
        }
        if not self.parts:
            missing = {"service": "starting"}
        body = msgspec.json.encode({"ready": self.ready, "missing": missing})
        return Response(200 if self.ready else 503, _JSON, body)


def _live(_path: str, _query: Mapping[str, str]) -> Response:
    return Response(200, _JSON, b'{"live":true}')


def _metrics(_path: str, _query: Mapping[str, str]) -> Response:
    return Response(200, CONTENT_TYPE_LATEST, generate_latest())
