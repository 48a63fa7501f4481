"""Which id each schema has on the wire: the registry file's, or what a registry gives it.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from urllib.parse import quote

import httpx

from foreshock_kit.errors import Permanent, Transient
from foreshock_kit.kafka.connection import keep_trying
from foreshock_kit.logs import get_logger
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.codec import FROM_FILE, Codec
from foreshock_schemas.registry import Registered, newest, registered
from foreshock_schemas.topics import TOPICS

_TIMEOUT_S: Final = 10.0
_CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_CAUSE_CHARACTERS: Final = 500
_RULE: Final = {"compatibility": "FULL_TRANSITIVE"}

_log = get_logger(__name__)
_known: dict[str, Codec] = {}


async def codec_of(
    settings: KafkaSettings,
    *,
    on_wait: Callable[[str], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Codec:
    """Return the codec with the ids in force; a registry is asked once a process.

    With `schema_registry_url` every version of every schema is registered there, and a subject
    without a rule of its own takes from then on only what all its versions can read and be
    read by.

    Args:
        settings: Where the registry is, if there is one.
        on_wait: Hears why, before every pause, while it does not answer.
        stop: Ends the waiting.

    Raises:
        Permanent: it refuses a schema, because another was registered before that does not go
            together with it, or because we may not register any.
        Stopped: `stop` was set first.
    """
    url = settings.schema_registry_url
    if url is None:
        return FROM_FILE
    if url not in _known:
        _known[url] = await keep_trying(
            partial(_registered, settings, url), "registry_not_ready", on_wait=on_wait, stop=stop
        )
    return _known[url]


async def _registered(settings: KafkaSettings, url: str) -> Codec:
    password = settings.schema_registry_password
    auth = (settings.schema_registry_username or "", password.reveal()) if password else None
    rows = sorted(registered(), key=lambda row: row.version)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, auth=auth) as http:
        ids = {row.file: await _register(http, row) for row in rows}
    current = newest()
    _log.info("schemas_registered", registry=http.base_url.host, schemas=len(ids))
    return Codec(
        {topic.event: ids[current[f"{topic.name}-value"].file] for topic in TOPICS},
        {ids[row.file]: row.schema for row in rows},
    )


async def _register(http: httpx.AsyncClient, row: Registered) -> int:
    versions = f"/subjects/{quote(row.subject, safe='')}/versions"
    answer = await _ask(http, "POST", versions, {"schema": row.text, "schemaType": "AVRO"})
    if not answer.is_success:
        raise Permanent(
            f"the schema registry refuses {row.file} as {row.subject} "
            f"({answer.status_code}): {answer.text[:_CAUSE_CHARACTERS]}"
        )
    await _rule(http, row.subject)
    return int(answer.json()["id"])


async def _rule(http: httpx.AsyncClient, subject: str) -> None:
    """See that the subject has a rule of compatibility; one that an operator set is left.

    Where there is none, Confluent's registry answers 404, and Apicurio's "NONE".
    """
    config = f"/config/{quote(subject, safe='')}"
    held = await _ask(http, "GET", f"{config}?defaultToGlobal=false")
    if held.is_success and held.json().get("compatibilityLevel") != "NONE":
        return
    answer = await _ask(http, "PUT", config, _RULE)
    if not answer.is_success:
        _log.warning("schema_rule_not_set", subject=subject, status=answer.status_code)


async def _ask(
    http: httpx.AsyncClient, method: str, path: str, body: Mapping[str, str] | None = None
) -> httpx.Response:
    where = f"schema registry at {http.base_url.host}:{http.base_url.port}"
    try:
        answer = await http.request(method, path, json=body, headers={"Accept": _CONTENT_TYPE})
    except httpx.RequestError as error:
        raise Transient(f"no {where}: {str(error) or type(error).__name__}") from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Transient(f"the {where} answered {answer.status_code}")
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise Permanent(
            f"the {where} answered {answer.status_code}: "
            "look at SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD"
        )
    return answer
