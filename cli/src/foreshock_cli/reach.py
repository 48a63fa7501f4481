"""Whether exchanges answer from here: one cheap REST request to each, all at once."""

import asyncio
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from foreshock_exchanges import NAMES, load
from foreshock_exchanges.rest import Request, Rest
from foreshock_kit.clock import SystemClock
from foreshock_kit.environment import load as load_settings
from foreshock_kit.errors import Unavailable
from foreshock_kit.limits import Answer, Host, limit_of
from foreshock_kit.settings import VenueSettings

_PATIENCE_S: Final = 4.0
_TOLERATED_S: Final = 2.0
_JSON: Final = {"content-type": "application/json"}
_ELSEWHERE: Final = "EXCHANGES without it, or another host by EXCHANGE_REST_URLS"

_CLOCK: Final = SystemClock()


class _Followed(VenueSettings, frozen=True, kw_only=True):
    def __post_init__(self) -> None:
        self.check_exchanges(NAMES)


def hosts_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the REST host of each exchange in `EXCHANGES`, which is set.

    Raises:
        SettingsInvalid: What is said of exchanges is wrong.
    """
    about = {name: text for name, text in environ.items() if name.startswith("EXCHANGE")}
    settings = load_settings(_Followed, about)
    return {name: settings.rest_url(name, load(name).rest_url) for name in settings.exchanges}


async def ask(hosts: Mapping[str, str]) -> dict[str, str | None]:
    """Return by exchange what is wrong with its host, after 4 s at most; `None`: it answers."""
    async with (
        httpx.AsyncClient(timeout=_PATIENCE_S, follow_redirects=True) as http,
        asyncio.TaskGroup() as group,
    ):
        asking = {
            name: group.create_task(_problem(http, name, host)) for name, host in hosts.items()
        }
    return {name: task.result() for name, task in asking.items()}


async def _problem(http: httpx.AsyncClient, name: str, host: str) -> str | None:
    rest = load(name).rest
    sent_ms = _CLOCK.now_ms()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            answer = await http.send(_request(http, host, _cheapest(rest)))
    except (httpx.HTTPError, TimeoutError) as e:
        return f"no answer from {host} ({type(e).__name__}): is this machine online?"
    told = Answer(answer.status_code, answer.content, answer.headers.get("retry-after", ""))
    refusal = Host(limit_of(rest.budget, 1.0), _CLOCK).refusal(told, host)
    if isinstance(refusal, Unavailable):
        return f"restricted here: {refusal}; {_ELSEWHERE}"
    if refusal is not None:
        return f"leave it alone for {refusal.retry_after_s:.0f} s: {refusal}"
    if not answer.is_success:
        return f"{host} answered {answer.status_code}; {_ELSEWHERE}"
    return _wrong_clock(answer.headers.get("date", ""), sent_ms, _CLOCK.now_ms())


def _cheapest(rest: Rest) -> Request:
    asked = (rest.funding_intervals(), rest.instruments(), rest.tickers())
    return min((each for each in asked if each is not None), key=lambda each: each.weight)


def _request(http: httpx.AsyncClient, host: str, asked: Request) -> httpx.Request:
    url = f"{host.rstrip('/')}{asked.path}"
    if asked.json is not None:
        return http.build_request("POST", url, content=asked.json, headers=_JSON)
    return http.build_request("GET", url, params=dict(asked.params))


def _wrong_clock(date: str, sent_ms: int, got_ms: int) -> str | None:
    """Compare clocks by the answer's date, which tells whole seconds."""
    try:
        theirs_ms = parsedate_to_datetime(date).timestamp() * 1000 + 500
    except ValueError:
        return None
    ahead_s = (theirs_ms - (sent_ms + got_ms) / 2) / 1000
    if abs(ahead_s) <= _TOLERATED_S + (got_ms - sent_ms) / 2000:
        return None
    return (
        f"clock differs by {abs(ahead_s):.0f} s: ours is {'behind' if ahead_s > 0 else 'ahead'}; "
        "switch on NTP (timedatectl set-ntp true): what lies over 5 s ahead of us is refused"
    )
