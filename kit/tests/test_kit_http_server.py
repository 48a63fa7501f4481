"""What a stranger says to the health port does it no harm."""

import asyncio

import httpx
import pytest

from foreshock_kit.health import Health
from foreshock_kit.http_server import serve


async def said_back(port, request):
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            writer.write_eof()
            return await reader.read()
        finally:
            writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x00\xff\x01",
        b"GET\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
        b"GET /livez HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_a_bad_request_gets_no_good_answer_and_the_next_is_served(request_bytes):
    async with serve("127.0.0.1", 0, Health().routes()) as server:
        assert b" 200 " not in await said_back(server.port, request_bytes)
        async with httpx.AsyncClient(timeout=5) as client:
            assert (await client.get(f"{server.url}/livez")).status_code == 200


async def test_a_route_that_fails_is_an_error_of_that_request_only():
    def broken(path, query):
        raise ValueError("a bug")

    routes = Health().routes() | {"/broken": broken}
    async with serve("127.0.0.1", 0, routes) as server, httpx.AsyncClient(timeout=5) as client:
        assert (await client.get(f"{server.url}/broken")).status_code == 500
        assert (await client.get(f"{server.url}/livez")).status_code == 200


async def test_the_port_is_free_again_after_the_end():
    async with serve("127.0.0.1", 0, {}) as server:
        pass
    async with serve("127.0.0.1", server.port, {}) as again:
        assert again.port == server.port
