"""Where a recording's contracts are told: in its REST bodies, or in a file of their own."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from foreshock_cli.recording import Body
from foreshock_exchanges.base import MalformedMessage
from foreshock_exchanges.rest import Request, Rest
from foreshock_kit.errors import ForeshockError
from foreshock_schemas.events import Instrument

_Positive = Annotated[float, msgspec.Meta(gt=0, lt=1e18)]


class WrongInstruments(ForeshockError):
    """A file of instruments is none; the message names the entry and the field."""


class _Told(Instrument, frozen=True, gc=False, kw_only=True):
    """What the schema gives a default may be missing."""

    multiplier: _Positive
    contract_size: _Positive
    tick_size: float | None = None
    funding_interval_h: float | None = None


_entries: Final = msgspec.json.Decoder(list[msgspec.Raw])
_lines: Final = msgspec.json.Decoder(msgspec.Raw)
_told: Final = msgspec.json.Decoder(_Told)


def in_bodies(
    rest: Rest, bodies: Iterable[Body], on_refused: Callable[[str], None]
) -> list[Instrument]:
    """Return the contracts that the venue's own list tells, all its pages taken together.

    A body is such a list if its URL has the path and the query of the adapter's own request for
    it, or of the next page's; `on_refused` is told of those that the adapter cannot read.
    """
    asked = [rest.instruments()]
    found: list[Instrument] = []
    for body in bodies:
        request = next((each for each in reversed(asked) if _answers(body, each)), None)
        if request is None:
            continue
        try:
            found += rest.read_instruments(body.data, body.recv_ns // 1_000_000)
            following = rest.next_page(request, body.data)
        except MalformedMessage as e:
            on_refused(f"the instruments of {body.url} cannot be read ({e})")
            continue
        if following is not None:
            asked.append(following)
    return found


def in_file(file: Path, exchange: str) -> list[Instrument]:
    """Return an exchange's contracts from Instrument events: a JSON list, or one a line.

    What the schema gives a default may be missing; those of other exchanges are passed over.

    Raises:
        OSError: The file cannot be read.
        WrongInstruments: It is neither, or has none of the exchange.
    """
    told = file.read_bytes()
    is_list = told.lstrip().startswith(b"[")
    try:
        entries = _entries.decode(told) if is_list else _lines.decode_lines(told)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise WrongInstruments(
            f"{file} has instruments neither in a JSON list nor one a line: {e}"
        ) from e
    contracts = [_instrument(file, number, entry) for number, entry in enumerate(entries, 1)]
    found = [each for each in contracts if each.exchange == exchange]
    if not found:
        raise WrongInstruments(
            f"none of the {len(contracts)} instruments in {file} is of {exchange}"
        )
    return found


def _answers(body: Body, request: Request) -> bool:
    url = urlsplit(body.url)
    asked = set(parse_qsl(url.query, keep_blank_values=True))
    same = url.path.endswith(request.path) and asked.issuperset(request.params)
    return same and body.json in {None, request.json}


def _instrument(file: Path, number: int, entry: msgspec.Raw) -> Instrument:
    try:
        return _told.decode(entry)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise WrongInstruments(f"{file}, entry {number}: {e}") from e
