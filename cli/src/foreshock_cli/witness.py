"""What a replay looks at: the recording, the ingester's counts, and the topic in the end."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from foreshock_cli.program import Program
from foreshock_exchanges import load
from foreshock_exchanges.contract import Contract
from foreshock_exchanges.intake import Intake
from foreshock_kit.clock import Clock
from foreshock_kit.kafka import Publisher, Record, follow
from foreshock_kit.service import Context
from foreshock_kit.settings import KafkaSettings
from foreshock_schemas.events import Instrument, Liquidation, MarketStats, Trade
from foreshock_schemas.ids import venue_id
from foreshock_schemas.topics import INSTRUMENTS, MARKET_STATS, Topic

_INGESTERS: Final = {Trade: "ingest-trades", Liquidation: "ingest-liquidations"}
_QUOTE: Final = "USD"
"""Of contracts that nobody but their own frames tells of; nothing is computed from it."""


class Subjects(msgspec.Struct, frozen=True):
    """The contracts that a recording is about, and how many events are for which ingester."""

    instruments: tuple[Instrument, ...]
    events: Mapping[str, int]

    @property
    def service(self) -> str:
        """The ingester that most events are for; a recording of marks alone is ingest-trades'."""
        return max(self.events, key=self.events.__getitem__, default="ingest-trades")


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What an ingester has counted so far."""

    frames: int = 0
    events: int = 0
    ignored: int = 0
    malformed: int = 0
    duplicates: int = 0


def subjects(exchange: str, frames: Iterable[bytes], told: Sequence[Instrument] = ()) -> Subjects:
    """Return what the frames are about, by the exchange's own adapter.

    Contracts are those `told`, or else what the adapter knows of them without being told.
    """
    adapter = load(exchange)
    adapter.learn(told)
    intake = Intake(adapter, lambda _reason, _frame: None)
    found = {each.symbol: each for each in told}
    symbols: set[str] = set()
    events: Counter[str] = Counter()
    for frame in frames:
        for event in intake.take(frame, 2**53):
            symbols.add(event.symbol)
            if (service := _INGESTERS.get(type(event))) is not None:
                events[service] += 1
    for symbol in symbols - found.keys():
        contract = adapter.contracts.sized(symbol)
        if contract is not None:
            found[symbol] = _instrument(contract)
    return Subjects(tuple(found[each] for each in sorted(symbols)), events)


async def publish_universe(
    settings: KafkaSettings, instruments: Sequence[Instrument], clock: Clock
) -> None:
    """Publish the contracts and their coins, as oi-poller would."""
    async with Publisher(settings, "replay", clock) as publisher:
        now_ms = clock.now_ms()
        for instrument in instruments:
            seen = msgspec.structs.replace(
                instrument, ts_event_ms=now_ms, ts_recv_ms=now_ms, status="trading"
            )
            await publisher.publish(INSTRUMENTS, seen)
            await publisher.publish(MARKET_STATS, _followed(instrument, now_ms))
        await publisher.flush()


async def counts_of(program: Program) -> Counts:
    """Return what the program's metrics say; zeros while it does not answer."""
    announces = program.announces
    if announces is None or not announces.exists():
        return Counts()
    try:
        async with httpx.AsyncClient(timeout=5.0) as client:
            answer = await client.get(f"{announces.read_text().strip()}/metrics")
    except httpx.HTTPError:
        return Counts()
    found: Counter[str] = Counter()
    prefix = f"foreshock_{program.name.replace('-', '_')}_"
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            name = sample.name.removeprefix(prefix).removesuffix("_total")
            if name in Counts.__struct_fields__:
                found[name] += int(sample.value)
    return Counts(**found)


async def ids_on(settings: KafkaSettings, topic: Topic, clock: Clock) -> set[str]:
    """Return the distinct ids of everything on a topic."""
    ids: set[str] = set()
    read = asyncio.Event()

    def on_record(record: Record) -> None:
        ids.add(record.event.event_id)

    context = Context("replay", asyncio.Event(), clock)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(
            follow(
                settings, context, [topic], on_record, since_ms={topic.name: None}, caught_up=read
            )
        )
        await read.wait()
        reading.cancel()
    return ids


def _instrument(contract: Contract) -> Instrument:
    return Instrument(
        event_id=venue_id(contract.exchange, contract.symbol, "instrument", 0),
        ts_event_ms=0,
        ts_recv_ms=0,
        exchange=contract.exchange,
        symbol=contract.symbol,
        coin=contract.coin,
        quote=_QUOTE,
        multiplier=contract.multiplier,
        contract_size=contract.size,
        tick_size=None,
        status="trading",
        funding_interval_h=None,
        inverse=contract.inverse,
    )


def _followed(instrument: Instrument, now_ms: int) -> MarketStats:
    return MarketStats(
        event_id=venue_id(instrument.exchange, instrument.symbol, "replay", now_ms),
        ts_event_ms=now_ms,
        ts_recv_ms=now_ms,
        coin=instrument.coin,
        in_universe=True,
        exchanges=(instrument.exchange,),
        volume_days=0,
    )
