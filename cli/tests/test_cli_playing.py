"""A recording served as a venue would."""

from websockets.asyncio.client import connect

from foreshock_cli.playing import Player
from foreshock_cli.recording import Frame

FRAMES = [Frame(b'{"a":1}', None), Frame(b"\x1f\x8b", None)]


async def test_who_says_nothing_is_served_too_for_some_venues_are_told_in_the_url():
    async with Player(FRAMES, None) as player, connect(player.url) as socket:
        assert [await socket.recv(decode=False) for _ in FRAMES] == [f.data for f in FRAMES]
