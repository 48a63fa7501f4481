"""Frames on a websocket to acknowledged records, against a loop that decodes nothing."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.harness import Goal, Row, median, row, say
from bench.kafka import CLOCK, fill, kafka
from bench.market import agg_trades, coins, universe
from bench.measuring import Pace, pace_between, reference
from bench.venue import Feed, venue

from foreshock_kit.settings import KafkaSettings
from foreshock_kit.testing.process import ServiceProcess
from foreshock_schemas.events import Instrument, MarketStats
from foreshock_schemas.topics import INSTRUMENTS, MARKET_STATS

FRAMES: Final = 250_000
_REPEATS: Final = 3
_ANY_AGE_S: Final = 86_400
"""The venue's trades are of before the connection."""
PUBLISHED: Final = 'foreshock_kafka_records_published_total{topic="foreshock.trades.v1"}'


async def run() -> list[Row]:
    """Compare trades per CPU second and on the wall's clock."""
    names = coins(80)
    mine, others = [], []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for turn in range(1, _REPEATS + 1):
            async with kafka() as broker:
                say(f"ingest-trades: {turn} of {_REPEATS}")
                mine.append(await service_pace(broker, folder, names))
                say(f"the bare loop: {turn} of {_REPEATS}")
                others.append(await _bare_pace(broker, folder, names))
    bare = "a bare loop: same reader, ready bytes"
    return [
        row(
            "ingest-trades",
            median([pace.cpu for pace in mine]),
            "trades per CPU second",
            bare,
            median([pace.cpu for pace in others]),
            Goal(at_least=60_000, ratio_at_least=0.7),
        ),
        row(
            "ingest-trades, broker and venue on the same cores",
            median([pace.wall for pace in mine]),
            "trades per second",
            bare,
            median([pace.wall for pace in others]),
            Goal(at_least=60_000, ratio_at_least=0.7),
        ),
    ]


async def service_pace(broker: KafkaSettings, folder: Path, names: Sequence[str]) -> Pace:
    """Let the service take in a venue's trades of these coins."""
    await follow(broker, names)
    async with venue(folder, [_trades_of(folder, names)]) as url:
        env = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.kafka_bootstrap_servers,
            "EXCHANGE_WS_URLS": f"binance={url}",
            "HISTORY_S": str(_ANY_AGE_S),
            "LOG_LEVEL": "WARNING",
        }
        async with ServiceProcess("ingest_trades", folder / "service", env) as service:
            await service.until_ready()
            return await pace_between(service, PUBLISHED, FRAMES)


async def follow(broker: KafkaSettings, names: Sequence[str]) -> None:
    """Write the universe that makes ingesters follow these coins."""
    events = list(universe(names, CLOCK.now_ms()))
    await fill(broker, INSTRUMENTS, (e for e in events if isinstance(e, Instrument)))
    await fill(broker, MARKET_STATS, (e for e in events if isinstance(e, MarketStats)))


def _trades_of(folder: Path, names: Sequence[str]) -> Feed:
    file = folder / "trades"
    start_ms = CLOCK.now_ms() - 60_000
    file.write_bytes(b"\n".join(agg_trades(names, FRAMES, start_ms, combined=False)))
    return Feed("@aggTrade", str(file))


async def _bare_pace(broker: KafkaSettings, folder: Path, names: Sequence[str]) -> Pace:
    feed = _trades_of(folder, names)
    async with venue(folder, [feed]) as url, reference("ingest", sys.executable) as bare:
        answer = await bare.ask(
            {
                "kafka": broker.kafka_bootstrap_servers,
                "url": url,
                "frames": feed.frames,
                "symbols": [f"{name}USDT" for name in names],
            }
        )
    return Pace(answer["cpu"], answer["wall"])
