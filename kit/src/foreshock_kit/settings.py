"""Settings: from the environment only, checked as a whole, secrets kept out of sight."""

import types
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from foreshock_kit.errors import SettingsInvalid

_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off"}

S = TypeVar("S", bound=msgspec.Struct)


class Secret:
    """A text that prints as `***`. Only `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


_PLAIN: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Secret: "a secret, or its file by NAME_FILE",
}


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
        found = []
        with_sasl = self.kafka_security_protocol.startswith("SASL")
        if with_sasl and self.kafka_sasl_mechanism is None:
            found.append(f"KAFKA_SASL_MECHANISM is missing: {self.kafka_security_protocol}")
        if with_sasl and not (self.kafka_sasl_username and self.kafka_sasl_password):
            found.append(
                "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are missing: "
                f"{self.kafka_security_protocol}"
            )
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
    follow, and other hosts than their own.
    """

    exchanges: tuple[str, ...] = ("binance",)
    exchange_ws_urls: tuple[_WsUrl, ...] = ()
    exchange_rest_urls: tuple[_RestUrl, ...] = ()

    def ws_url(self, exchange: str, default: str) -> str:
        """Return where the exchange's websockets are."""
        return _by_name(self.exchange_ws_urls).get(exchange, default)

    def rest_url(self, exchange: str, default: str) -> str:
        """Return the exchange's REST host."""
        return _by_name(self.exchange_rest_urls).get(exchange, default)

    def check_exchanges(self, known: Collection[str]) -> None:
        """Check that there are only exchanges that are known.

        Raises:
            ValueError: There are others; it names those there are.
        """
        if strangers := [name for name in self.exchanges if name not in known]:
            raise ValueError(f"no exchange {', '.join(strangers)}; there are: {', '.join(known)}")


def _by_name(pairs: tuple[str, ...]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in pairs)


def load(wanted: type[S], env: Mapping[str, str]) -> S:
    """Return the settings in `env`: each field by its name in capitals.

    A secret may be in a file that `NAME_FILE` names; lists are comma separated; an empty
    value counts as none.

    Raises:
        SettingsInvalid: Something is missing or wrong; it says all of it at once.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    hints = get_type_hints(wanted, include_extras=True)
    for field in msgspec.structs.fields(wanted):
        name = field.name.upper()
        try:
            text = _text_of(name, hints[field.name], env)
            if text is not None:
                values[field.name] = _value(text, hints[field.name])
            elif field.required:
                problems.append(f"{name} is missing: {describe(hints[field.name])}")
        except (ValueError, OSError) as e:
            problems.append(f"{name} is wrong: {e}")
    settings, more = _joined(wanted, values)
    if settings is None or problems or more:
        raise SettingsInvalid((*problems, *more))
    return settings


def _joined(wanted: type[S], values: Mapping[str, Any]) -> tuple[S | None, tuple[str, ...]]:
    """Return settings of what was right, and what does not go together; None if any lacks."""
    required = {field.name for field in msgspec.structs.fields(wanted) if field.required}
    if not required <= values.keys():
        return None, ()
    try:
        settings = wanted(**values)
    except ValueError as e:
        return None, (str(e),)
    return settings, settings.problems() if isinstance(settings, KafkaSettings) else ()


def describe(hint: Any) -> str:
    """Return in words what a setting of this type has to be."""
    base, optional = _unwrap(hint)
    origin = get_origin(base)
    if origin is Literal:
        words = " or ".join(str(choice) for choice in get_args(base))
    elif origin is tuple:
        words = f"a comma separated list, each {describe(get_args(base)[0])}"
    else:
        words = _PLAIN.get(getattr(base, "__origin__", base), "a text") + _bounds(base)
    return f"{words}, or nothing" if optional else words


def _bounds(hint: Any) -> str:
    """Return the bounds of a number, "" without any."""
    found = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, msgspec.Meta)]
    low = [f"from {each.ge}" for each in found if each.ge is not None]
    above = [f"above {each.gt}" for each in found if each.gt is not None]
    high = [f"to {each.le}" for each in found if each.le is not None]
    return "".join(f" {words}" for words in (*low, *above, *high))


def _text_of(name: str, hint: Any, env: Mapping[str, str]) -> str | None:
    text = env.get(name, "").strip()
    file = env.get(f"{name}_FILE", "").strip()
    if _unwrap(hint)[0] is Secret and file and not text:
        text = Path(file).read_text().strip()
        if not text:
            raise ValueError(f"{file} is empty")
    return text or None


def _value(text: str, hint: Any) -> Any:
    base, _ = _unwrap(hint)
    if base is Secret:
        return Secret(text)
    if base is bool:
        return _bool(text)
    raw: Any = text
    if get_origin(base) is tuple:
        raw = [item.strip() for item in text.split(",") if item.strip()]
    try:
        return msgspec.convert(raw, base, strict=False)
    except msgspec.ValidationError as e:
        raise ValueError(f"{text!r} is not {describe(hint)} ({e})") from e


def _bool(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"{text!r} is neither true nor false")


def _unwrap(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in {Union, types.UnionType}:
        kept = [each for each in get_args(hint) if each is not type(None)]
        return kept[0], len(kept) < len(get_args(hint))
    return hint, False
