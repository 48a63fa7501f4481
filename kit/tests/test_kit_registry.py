import asyncio

import msgspec
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from foreshock_kit.registry import answer, serve_registry
from foreshock_schemas.codec import encode
from foreshock_schemas.events import Trade
from foreshock_schemas.registry import newest, registered
from foreshock_schemas.topics import TRADES

TRADE = Trade(
    event_id="binance:BTCUSDT:aggTrade:1",
    ts_event_ms=1_700_000_000_000,
    ts_recv_ms=1_700_000_000_005,
    exchange="binance",
    symbol="BTCUSDT",
    coin="BTC",
    aggressor="sell",
    price=65_000.5,
    size_coins=0.25,
    notional_usd=16_250.125,
)


def get(path: str) -> tuple[int, object]:
    response = answer(path, {})
    return response.status, msgspec.json.decode(response.body)


def test_every_schema_is_there_by_id():
    for row in registered():
        status, content = get(f"/schemas/ids/{row.id}")
        assert (status, content) == (200, {"schema": row.text})


def test_every_subject_has_its_versions_and_its_latest():
    status, subjects = get("/subjects")
    assert (status, subjects) == (200, sorted(newest()))
    for subject, row in newest().items():
        assert get(f"/subjects/{subject}/versions")[1][-1] == row.version
        latest = get(f"/subjects/{subject}/versions/latest")
        assert latest == get(f"/subjects/{subject}/versions/{row.version}")
        assert latest[1] == {
            "subject": subject,
            "version": row.version,
            "id": row.id,
            "schema": row.text,
        }


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/schemas/ids/999999", 40403),
        ("/schemas/ids/one", 40403),
        ("/subjects/nobody-value/versions", 40401),
        (f"/subjects/{TRADES.name}-value/versions/99", 40402),
        ("/associations/subjects/x", 40401),
        ("/", 40401),
    ],
)
def test_what_is_lacking_is_a_404_that_clients_understand(path, code):
    status, content = get(path)
    assert status == 404
    assert content["error_code"] == code


async def test_a_stock_deserializer_reads_our_records():
    async with serve_registry("127.0.0.1", 0) as url:
        client = SchemaRegistryClient({"url": url})
        deserialize = AvroDeserializer(client)
        where = SerializationContext(TRADES.name, MessageField.VALUE)
        row = await asyncio.to_thread(deserialize, encode(TRADE), where)
    assert row == msgspec.to_builtins(TRADE)


async def test_a_stock_client_is_told_what_is_lacking():
    async with serve_registry("127.0.0.1", 0) as url:
        client = SchemaRegistryClient({"url": url})
        with pytest.raises(SchemaRegistryError) as caught:
            await asyncio.to_thread(client.get_latest_version, "nobody-value")
    assert caught.value.error_code == 40401
