"""How clients reach the broker, and how long they may take for anything."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.metadata import MetadataRequest

from foreshock_kit.backoff import Backoff
from foreshock_kit.errors import Stopped, Transient
from foreshock_kit.logs import get_logger
from foreshock_kit.settings import KafkaSettings

REQUEST_TIMEOUT_MS: Final = 10_000
START_S: Final = 15.0
STOP_S: Final = 3.0
_PAUSES: Final = Backoff(first_s=0.25, longest_s=5.0)
_NOT_ALLOWED: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

_log = get_logger(__name__)


class Client(Protocol):
    """What aiokafka's producer and consumer have in common."""

    async def start(self) -> None:
        """Connect."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


AnyClient = TypeVar("AnyClient", bound=Client)
T = TypeVar("T")


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the options that every aiokafka client needs to reach the broker."""
    password = settings.kafka_sasl_password
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
    }
    if settings.kafka_sasl_mechanism is not None:
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = None if password is None else password.reveal()
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = create_ssl_context(cafile=settings.kafka_ssl_cafile)
    return options


@asynccontextmanager
async def bounded(seconds: float, doing: str) -> AsyncIterator[None]:
    """Let the block take `seconds` at most.

    Raises:
        Transient: the time is over, or the broker refused; the message says what was tried.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Transient(f"Kafka: {doing} took longer than {seconds:g} s") from error
    except _NOT_ALLOWED as error:
        raise Transient(
            f"Kafka: {doing} is not allowed: give this user the ACLs that it lacks ({error!r})"
        ) from error
    except KafkaError as error:
        raise Transient(f"Kafka: {doing} failed: {error!r}") from error


async def stop_client(client: Client, seconds: float = STOP_S) -> None:
    """Stop a client; of one whose `stop` hangs or is cancelled at least no connection is left."""
    try:
        async with bounded(seconds, "stopping"):
            await client.stop()
    except Transient as error:
        _log.warning("kafka_stop_abandoned", why=str(error))
    finally:
        _cut(client)


def _cut(client: Client) -> None:
    """Close what is open, and forget the brokers: what still runs in the client opens no other."""
    inner = client._client if isinstance(client, AIOKafkaConsumer) else client.client  # type: ignore[attr-defined]  # noqa: SLF001
    inner.cluster = ClusterMetadata()
    for connection in tuple(inner._conns.values()):  # noqa: SLF001  its `close` waits for a task
        connection.close()


async def start_client(
    settings: KafkaSettings,
    make: Callable[[], AnyClient],
    *,
    check: Callable[[AnyClient], Awaitable[None]] | None = None,
    on_wait: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> AnyClient:
    """Make and start a client, trying for ever.

    Args:
        settings: Where the broker is.
        make: Makes a client that is not yet started.
        check: Raises Transient when a started client is not yet of use.
        on_wait: Hears why, before every pause.
        stop: Ends the trying.

    Raises:
        Stopped: `stop` was set.
    """
    return await keep_trying(
        partial(_attempt, settings, make, check), "kafka_not_ready", on_wait=on_wait, stop=stop
    )


async def keep_trying(
    attempt: Callable[[], Awaitable[T]],
    event: str,
    *,
    on_wait: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> T:
    """Return what `attempt` returns as soon as it is not Transient, trying for ever.

    Args:
        attempt: What to try.
        event: What the log calls a failure.
        on_wait: Hears why, before every pause.
        stop: Ends the trying.

    Raises:
        Stopped: `stop` was set.
    """
    stop = stop or asyncio.Event()
    failures = 0
    while not stop.is_set():
        try:
            return await attempt()
        except Transient as error:
            why = str(error)
        failures += 1
        pause_s = _PAUSES.delay(failures)
        _log.warning(event, why=why, retry_in_s=round(pause_s, 2))
        if on_wait is not None:
            on_wait(why)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await stop.wait()
    raise Stopped


async def _attempt(
    settings: KafkaSettings,
    make: Callable[[], AnyClient],
    check: Callable[[AnyClient], Awaitable[None]] | None,
) -> AnyClient:
    await knock(settings)
    client = make()
    try:
        async with bounded(START_S, "connecting"):
            await client.start()
            if check is not None:
                await check(client)
    except BaseException:
        await stop_client(client)
        raise
    return client


async def knock(settings: KafkaSettings) -> None:
    """Find out whether a server takes us; aiokafka's clients keep the reason to themselves.

    Raises:
        Transient: none does; it says why for each, and what to look at.
    """
    options = client_options(settings)
    problems = []
    for server in options.pop("bootstrap_servers").split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            async with asyncio.timeout(START_S):
                connection = await create_conn(host.strip("[]"), int(port), **options)
                try:
                    await connection.send(MetadataRequest([]))
                finally:
                    connection.close()
        except (OSError, TimeoutError, ValueError, KafkaError) as error:
            problems.append(f"{server.strip()}: {_in_words(error, settings)}")
        else:
            return
    raise Transient(f"no Kafka broker reachable ({'; '.join(problems)})")


def _in_words(error: Exception, settings: KafkaSettings) -> str:
    protocol = settings.kafka_security_protocol
    if isinstance(error, ssl.SSLError):
        return f"no TLS ({error.reason}): is KAFKA_SECURITY_PROTOCOL={protocol} what it wants?"
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"it does not take KAFKA_SASL_MECHANISM={settings.kafka_sasl_mechanism}"
    if isinstance(error, AuthenticationFailedError | SaslAuthenticationFailed):
        return "it does not take KAFKA_SASL_USERNAME with this password"
    if isinstance(error, KafkaConnectionError | ConnectionResetError):
        return f"it hung up: is KAFKA_SECURITY_PROTOCOL={protocol} what it wants?"
    return str(error) or "no answer"
