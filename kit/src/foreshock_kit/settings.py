"""What services can be told; `foreshock_kit.environment` reads it."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from foreshock_kit.environment import Secret

_SERVER: Final = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:,]+):\d+")
_PORTS: Final = 65_536


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the broker, for example `KAFKA_BOOTSTRAP_SERVERS=kafka-1:9092,kafka-2:9092`.

    With `SCHEMA_REGISTRY_URL` schemas are registered there and have its ids, else those of the
    registry file.
    """

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: Secret | None = None
    kafka_ssl_cafile: str | None = None
    schema_registry_url: Annotated[str, msgspec.Meta(pattern="^https?://")] | None = None
    schema_registry_username: str | None = None
    schema_registry_password: Secret | None = None

    def problems(self) -> tuple[str, ...]:
        """Return what does not go together, a line each."""
        found = [
            f"KAFKA_BOOTSTRAP_SERVERS is wrong: {server!r} is not host:port"
            for server in self.kafka_bootstrap_servers.split(",")
            if not _SERVER.fullmatch(server.strip())
            or not 0 < int(server.rpartition(":")[2]) < _PORTS
        ]
        with_sasl = self.kafka_security_protocol.startswith("SASL")
        if with_sasl and self.kafka_sasl_mechanism is None:
            found.append(f"KAFKA_SASL_MECHANISM is missing: {self.kafka_security_protocol}")
        if with_sasl and not (self.kafka_sasl_username and self.kafka_sasl_password):
            found.append(
                "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are missing: "
                f"{self.kafka_security_protocol}"
            )
        if (self.schema_registry_username is None) is not (self.schema_registry_password is None):
            found.append("SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD go together")
        if self.kafka_ssl_cafile and not Path(self.kafka_ssl_cafile).is_file():
            found.append(f"KAFKA_SSL_CAFILE is wrong: there is no file {self.kafka_ssl_cafile}")
        return tuple(found)


class ServiceSettings(KafkaSettings, frozen=True, kw_only=True):
    """What every service can be told. `HEALTH_PORT=0` takes any free port.

    `health_file` is where the service then writes the address; `instance_id` tells the
    instances of one service apart.
    """

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "text"] = "auto"
    health_host: str = "127.0.0.1"
    health_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    health_file: str | None = None
    instance_id: str = "0"
    grace_s: Annotated[float, msgspec.Meta(gt=0)] = 10.0


_WsUrl = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+=wss?://")]
_RestUrl = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+=https?://")]


class VenueSettings(ServiceSettings, frozen=True, kw_only=True):
    """What every service that asks exchanges can be told.

    For example `EXCHANGES=binance EXCHANGE_WS_URLS=binance=ws://127.0.0.1:9443`: the exchanges to
    follow, and other hosts than their own. What a venue sends of the time before a connection is
    history if it is older by more than `history_s`, and left out.
    """

    exchanges: tuple[str, ...] = ("binance",)
    exchange_ws_urls: tuple[_WsUrl, ...] = ()
    exchange_rest_urls: tuple[_RestUrl, ...] = ()
    history_s: Annotated[float, msgspec.Meta(ge=0)] = 5.0

    def ws_url(self, exchange: str, default: str) -> str:
        """Return where the exchange's websockets are."""
        return _by_name(self.exchange_ws_urls).get(exchange, default)

    def rest_url(self, exchange: str, default: str) -> str:
        """Return the exchange's REST host."""
        return _by_name(self.exchange_rest_urls).get(exchange, default)

    def check_exchanges(self, known: Collection[str]) -> None:
        """Check that there are only exchanges that are known.

        Raises:
            ValueError: There are others, which it names with those there are; or one comes twice.
        """
        if twice := sorted({name for name in self.exchanges if self.exchanges.count(name) > 1}):
            raise ValueError(f"EXCHANGES is wrong: {', '.join(twice)} more than once")
        if strangers := [name for name in self.exchanges if name not in known]:
            there_are = ", ".join(known)
            raise ValueError(
                f"EXCHANGES is wrong: no exchange {', '.join(strangers)}; there are: {there_are}"
            )


def _by_name(pairs: tuple[str, ...]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in pairs)
