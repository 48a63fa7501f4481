"""Which REST bodies of a recording are the venue's list of contracts."""

import json

import msgspec
import pytest

from foreshock_cli.instruments import in_bodies
from foreshock_cli.recording import Body
from foreshock_exchanges.contracts import Contracts, instrument
from foreshock_exchanges.rest import Request
from foreshock_exchanges.venue import VenueRest, reader

SWAPS = ("type", "swap")


class Paged(VenueRest):
    """A venue whose list comes in pages that are numbered or have a cursor."""

    name = "paged"

    def __init__(self, request, following):
        super().__init__(Contracts(lambda _: None))
        self._request = request
        self._following = following

    def instruments(self):
        return self._request

    @reader
    def read_instruments(self, body, recv_ms):
        coins = msgspec.json.decode(body, type=list[str])
        made = {"quote": "USD", "status": "trading"}
        return [instrument("paged", symbol, symbol, recv_ms, **made) for symbol in coins]

    def next_page(self, request, body):
        return self._following


def found(rest, *bodies):
    said = []
    return [each.coin for each in in_bodies(rest, bodies, said.append)], said


def body(query, *symbols, path="/v1/list", **sent):
    return Body(f"https://host{path}?{query}", json.dumps(symbols).encode(), 5_000_000, **sent)


def test_path_and_query_have_to_be_the_adapters():
    rest = Paged(Request(path="/v1/list", params=(SWAPS,)), None)
    assert found(
        rest,
        body("type=spot", "SPOT"),
        body("type=swap", "OTHER", path="/v1/other"),
        body("&limit=100&type=swap&cursor=", "BTC"),
        body("", "NONE"),
    ) == (["BTC"], [])


def test_the_next_page_is_known_by_what_the_adapter_would_ask():
    rest = Paged(
        Request(path="/v1/list", params=(SWAPS, ("page", "1"))),
        Request(path="/v1/list", params=(SWAPS, ("page", "2"))),
    )
    pages = [body(f"type=swap&page={page}", f"COIN{page}") for page in (1, 2, 3)]
    assert found(rest, *pages) == (["COIN1", "COIN2"], [])


def test_a_post_is_known_by_what_was_posted_where_that_was_noted():
    rest = Paged(Request(path="/v1/list", json='{"type":"meta"}'), None)
    assert found(
        rest,
        body("", "BTC", json='{"type":"meta"}'),
        body("", "ETH", json='{"type":"other"}'),
        body("", "XRP"),
    ) == (["BTC", "XRP"], [])


@pytest.mark.parametrize("raw", [b"{", b"null"])
def test_a_body_that_is_refused_is_told_and_the_others_count(raw):
    rest = Paged(Request(path="/v1/list"), None)
    coins, said = found(rest, Body("https://host/v1/list", raw, 0), body("", "BTC"))
    assert coins == ["BTC"]
    assert "https://host/v1/list cannot be read" in said[0]
