"""Servers, one after the other: nothing is left of one that is closed."""

import gc
import weakref

import aiohttp
import pytest

from foreshock_simulator.telegram import server as telegram
from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.venue import server as venues
from foreshock_simulator.world import World

PATHS = {
    "binance": "/fapi/v1/exchangeInfo",
    "bybit": "/v5/market/time",
    "okx": "/api/v5/public/time",
}


async def ask(url: str, path: str) -> None:
    async with aiohttp.ClientSession(url) as http, http.get(path) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", PATHS)
async def test_a_venue_that_is_served_no_more_is_forgotten(name):
    venue = World(7, 1_790_000_000_000).venues[name]
    async with venues.serve(venue, "127.0.0.1", 0) as url:
        await ask(url, PATHS[name])
    known = weakref.ref(venue)
    del venue
    gc.collect()
    assert known() is None


async def test_a_fake_that_is_served_no_more_is_forgotten():
    fake = Fake(chat_id=1, user_name="Ann", now_ms=lambda: 0)
    async with telegram.serve(fake) as url:
        await ask(url, "/inbox")
    known = weakref.ref(fake)
    del fake
    gc.collect()
    assert known() is None
