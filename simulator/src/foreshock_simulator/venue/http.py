"""JSON answers."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return content as JSON."""
    return web.Response(
        body=msgspec.json.encode(content),
        status=status,
        headers=headers,
        content_type="application/json",
    )
