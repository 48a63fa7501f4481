"""The gateway as a whole, between a real broker and the Telegram fake."""

import asyncio
import sys

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from foreshock_kit.clock import SystemClock
from foreshock_kit.environment import Secret
from foreshock_kit.testing import eventually, records_on
from foreshock_schemas.events import Bar, Delivery, MarketStats
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import (
    ALERTS,
    BARS,
    DELIVERIES,
    LIQUIDATIONS,
    MARKET_STATS,
    SUBSCRIPTIONS,
)
from telegram_gateway.domain import waiting
from telegram_gateway.domain.waiting import GATHER_AFTER, GATHER_S
from telegram_gateway.edge.connection import application
from telegram_gateway.edge.sender import Sender, TokenRefused

pytestmark = pytest.mark.broker


async def test_an_alert_arrives_and_its_way_is_in_the_ledger(world):
    await world.subscribe()
    alert = world.alert()
    async with world.gateway():
        await world.publish(ALERTS, alert)
        await world.reached(alert, "SENT")
        await world.got("<9M> of longs & more")
    sending, sent = await world.rows(alert)
    inbox = (await world.http.get("/inbox", params={"chat_id": world.chat_id})).json()
    assert sending.state == "SENDING"
    assert sent.message_id == inbox[-1]["message_id"]
    assert 0 <= sent.latency_ms <= world.now_ms() - alert.ts_recv_ms


async def test_monitoring_starts_by_itself_and_says_so_once(world):
    for run in (1, 2):
        async with world.gateway():
            await world.got("auto-started")
            await world.say("/help")
            await world.got("Coins followed", times=run)
    await world.got("auto-started")


async def test_auto_start_can_be_switched_off(world):
    async with world.gateway(enable_auto_start=False):
        await world.say("/alerts status")
        await world.got("never started")
    assert not any("auto-started" in text for text in await world.inbox())


async def test_a_chat_that_stopped_gets_nothing(world):
    alert = world.alert()
    async with world.gateway():
        await world.say("/alerts stop")
        await world.got("Alerts are off.")
        before = world.skipped("unwanted")
        await world.publish(ALERTS, alert)
        await eventually(lambda: world.skipped("unwanted") > before)
    assert await world.states(alert) == []
    await world.got(alert.title, times=0)


async def test_a_choice_of_kinds_holds_after_a_restart(world):
    await world.subscribe()
    muted, wanted = world.alert(kind="volume_spike"), world.alert(kind="cascade")
    async with world.gateway():
        await world.say("/alerts only cascades, market")
        await world.got("Kinds: cascades, market (muted: ")
    async with world.gateway():
        before = world.skipped("unwanted")
        await world.publish(ALERTS, muted, wanted)
        await world.reached(wanted, "SENT")
        await eventually(lambda: world.skipped("unwanted") > before)
    assert await world.states(muted) == []


async def test_a_flood_warning_delays_its_own_chat_only(world):
    other = world.new_chat()
    await world.subscribe(other)
    await world.say("hello", chat_id=other)
    mine, theirs = world.alert(), world.alert(chat_id=other)
    async with world.gateway(other):
        await world.order(kind="flood", chat_id=world.chat_id, retry_after=2)
        await world.publish(ALERTS, mine, theirs)
        await world.reached(theirs, "SENT")
        assert (await world.states(mine))[-1] == "SENDING"
        await world.reached(mine, "SENT")
    (sent,) = [row for row in await world.rows(mine) if row.state == "SENT"]
    assert sent.latency_ms >= 2_000
    assert not sent.possible_repeat


async def test_an_answer_waits_until_the_flood_is_over_and_no_other_chat_does(world):
    other = world.new_chat()
    await world.subscribe(other)
    async with world.gateway(other):
        await world.order(kind="flood", chat_id=world.chat_id, retry_after=7)
        for text in ("/start", "/help"):
            await world.say(text)
        await world.say("/help", chat_id=other)
        await world.got("Coins followed", chat_id=other)
        await world.got("Coins followed", times=0)
        await world.got("Coins followed", within_s=30)
    told = await world.inbox()
    assert [text for text in told if "Welcome" in text or "Coins followed" in text] == told[-2:]
    assert "Welcome" in told[-2]


async def test_a_stop_does_not_wait_for_a_flood(world):
    async with world.gateway(grace_s=2.0):
        await world.got("auto-started")
        await world.order(kind="flood", chat_id=world.chat_id, retry_after=25)
        await world.say("/help")
        await eventually(lambda: not world.fake.faults._faults)
        begin = SystemClock().monotonic()
    assert SystemClock().monotonic() - begin < 5


async def test_what_another_bot_is_told_is_not_answered(world):
    async with world.gateway():
        await world.got("auto-started")
        for text in ("/help@foo_bot", "/nonsense@Foo_Bot", "/start@foreshock_DEMO_bot"):
            await world.say(text)
        await world.got("Welcome to Foreshock")
    assert len(await world.inbox()) == 2


async def test_who_blocked_the_bot_is_given_up(world):
    await world.subscribe()
    blocked, later = world.alert(), world.alert()
    async with world.gateway():
        await world.order(kind="blocked")
        await world.publish(ALERTS, blocked)
        await world.reached(blocked, "FAILED")
        await world.publish(ALERTS, later)
        await world.reached(later, "SENT")
    assert "blocked" in (await world.rows(blocked))[-1].error


async def test_what_was_not_answered_is_sent_again_and_marked(world):
    await world.subscribe()
    alert = world.alert()
    async with world.gateway(timeout_s=0.3):
        await world.order(kind="timeout_after_accept", method="sendMessage")
        await world.publish(ALERTS, alert)
        await world.reached(alert, "SENT")
    assert await world.states(alert) == ["SENDING", "UNKNOWN", "SENDING", "SENT"]
    told = [text for text in await world.inbox() if alert.title in text]
    assert len(told) == 2
    assert "may be a repeat" in told[1]


async def test_three_unanswered_tries_are_enough(world):
    await world.subscribe()
    alert = world.alert()
    async with world.gateway():
        await world.order(kind="server_error", chat_id=world.chat_id, count=3)
        await world.publish(ALERTS, alert)

        async def given_up() -> bool:
            return await world.states(alert) == ["SENDING", "UNKNOWN"] * 3

        await eventually(given_up, 20)
        await world.say("/help")
        await world.got("Coins followed")
    assert await world.states(alert) == ["SENDING", "UNKNOWN"] * 3


async def test_a_restart_sends_again_what_it_finds_sending_and_nothing_else(world):
    await world.subscribe()
    done, halfway = world.alert(), world.alert()
    async with world.gateway():
        await world.publish(ALERTS, done)
        await world.reached(done, "SENT")
    row = (await world.rows(done))[0]
    cut_off = Delivery(
        **{name: getattr(row, name) for name in Delivery.__struct_fields__}
        | {
            "event_id": "cut off",
            "alert_id": halfway.event_id,
            "incident_id": halfway.incident_id,
        }
    )
    await world.publish(DELIVERIES, cut_off)
    await world.publish(ALERTS, halfway)
    async with world.gateway():
        await world.reached(halfway, "SENT")
    assert await world.states(done) == ["SENDING", "SENT"]
    told = [text for text in await world.inbox() if halfway.title in text]
    assert len(told) == 1
    assert "may be a repeat" in told[0]


async def test_what_is_history_comes_as_one_digest(world):
    await world.subscribe()
    past_ms = world.now_ms() - 1
    alerts = [world.alert(expires_ms=past_ms) for _ in range(5)]
    async with world.gateway():
        await world.publish(ALERTS, *alerts)
        await world.reached(alerts[-1], "SENT")
    digests = [text for text in await world.inbox() if "while the bot was away" in text]
    assert sum(text.count("BTC · number") for text in digests) == 5
    assert len(digests) <= 2


async def test_a_burst_arrives_in_few_messages(world):
    await world.subscribe()
    alerts = [world.alert() for _ in range(30)]
    async with world.gateway():
        await world.publish(ALERTS, *alerts)
        for alert in alerts:
            await world.reached(alert, "SENT")
    told = [text for text in await world.inbox() if "BTC · number" in text]
    assert sum(text.count("BTC · number") for text in told) == 30
    assert len(told) <= 6


async def test_a_chat_that_was_just_told_is_told_the_rest_together(world):
    await world.subscribe()
    first, rest = [world.alert() for _ in range(GATHER_AFTER)], [world.alert() for _ in range(4)]
    async with world.gateway():
        for alert in first:
            await world.publish(ALERTS, alert)
            await world.reached(alert, "SENT")
        await world.publish(ALERTS, *rest)
        for alert in rest:
            await world.reached(alert, "SENT")
    begun_ms = (await world.rows(first[0]))[-1].ts_event_ms
    for alert in rest:
        sending, *_ = await world.rows(alert)
        assert sending.ts_event_ms - begun_ms >= GATHER_S * 1000 - 100
        assert sum(alert.title in text for text in await world.inbox()) == 1
    assert len(await world.inbox()) < len(first) + len(rest)


async def test_a_market_wide_alert_wakes_what_waits_for_company(world, monkeypatch):
    monkeypatch.setattr(waiting, "GATHER_S", 60.0)
    await world.subscribe()
    several = [world.alert() for _ in range(GATHER_AFTER + 1)]
    market = world.alert(kind="market_wide", coin="MARKET", title="MARKET · 4 coins at once")
    async with world.gateway():
        for alert in several[:-1]:
            await world.publish(ALERTS, alert)
            await world.reached(alert, "SENT")
        await world.publish(ALERTS, several[-1], market)
        await world.reached(market, "SENT")
    (text,) = [text for text in await world.inbox() if market.title in text]
    assert text.startswith("⚠️ 2 alerts at once: MARKET, BTC\n")
    assert text.index(market.title) < text.index(several[-1].title)


async def test_what_was_held_back_is_not_sent_and_the_status_says_so(world):
    await world.subscribe()
    held, told = world.alert(held_back=True, kind="volume_spike"), world.alert()
    for _ in ("at first", "after a restart"):
        async with world.gateway():
            await world.publish(ALERTS, held, told)
            await world.reached(told, "SENT")
            await world.say("/alerts status")
            await eventually(lambda: world.skipped("held_back"))
    await world.got("by the limit of 60 a day: 1 (1 volume spike)", times=2)
    await world.got(held.title, times=0)
    assert await world.states(held) == []


async def test_the_end_of_a_cascade_makes_no_sound(world):
    await world.subscribe()
    states = ["CONFIRMED", "ENDED"]
    async with world.gateway():
        for revision, state in enumerate(states, 1):
            fields = {"incident_id": "cascade:7", "incident_state": state, "revision": revision}
            alert = world.alert(title=f"BTC {state}", **fields)
            await world.publish(ALERTS, alert)
            await world.reached(alert, "SENT")
    told = world.fake.telegram.messages(world.chat_id)
    assert [(each.content.text.split("\n")[0], each.silent) for each in told] == [
        ("⚠️ BTC CONFIRMED", False),
        ("✅ BTC ENDED", True),
    ]


async def test_commands_are_answered_from_the_topics(world):
    now_ms = world.now_ms()
    stats = sample(
        MarketStats,
        event_id=f"stats:{now_ms}",
        ts_event_ms=now_ms,
        ts_recv_ms=now_ms,
        coin="BTC",
        in_universe=True,
        volume_24h_usd=8e9,
    )
    bar = sample(
        Bar,
        event_id=f"bar:{now_ms}",
        ts_event_ms=now_ms,
        ts_recv_ms=now_ms,
        exchange="binance",
        coin="BTC",
        start_ms=now_ms - 1_000,
        close=50_000.0,
        notional_usd=1e6,
        taker_buy_usd=9e5,
        mark_price=50_001.0,
    )
    await world.publish(MARKET_STATS, stats)
    await world.publish(BARS, bar)
    async with world.gateway():
        for text, part in [
            ("/price btc", "BTC  $50,000"),
            ("/cvd BTC", "+$800k"),
            ("/price", "Which coin?"),
            ("/price NOSUCH", "NOSUCH is not followed"),
            ("/prise BTC", "Did you mean /price"),
            ("hello", "commands only"),
            ("/start", "Welcome to Foreshock, Anna"),
            ("/alerts", "Alerts are on"),
            ("/alerts never", "I do not know never"),
        ]:
            await world.say(text)
            await world.got(part)


async def test_the_button_brings_the_answer_up_to_date(world):
    async with world.gateway():
        await world.say("/liquidations")
        await world.got("Liquidated in the last hour")
        await world.publish(LIQUIDATIONS, world.liquidation(notional_usd=7.77e9))
        answer = await world.http.get("/inbox", params={"chat_id": world.chat_id})
        message_id = answer.json()[-1]["message_id"]
        press = {"chat_id": world.chat_id, "message_id": message_id, "data": "liquidations"}

        async def fresh() -> bool:
            (await world.http.post("/press", json=press)).raise_for_status()
            return any("$7.77B of longs" in text for text in await world.inbox())

        await eventually(fresh)
    assert len(await world.inbox()) == 2


async def test_a_button_switches_a_kind_and_shows_how_it_stands(world):
    await world.subscribe()
    async with world.gateway():
        await world.say("/alerts kinds")
        await world.got("Kinds: all")
        answer = await world.http.get("/inbox", params={"chat_id": world.chat_id})
        message = answer.json()[-1]
        press = {"chat_id": world.chat_id, "message_id": message["message_id"]}
        data = {"data": "alerts mute volume"}
        (await world.http.post("/press", json=press | data)).raise_for_status()
        await world.got("(muted: volume)")
        before = world.skipped("unwanted")
        await world.publish(ALERTS, world.alert(kind="volume_spike"))
        await eventually(lambda: world.skipped("unwanted") > before)
    assert len(await world.inbox()) == 1


async def test_a_stranger_is_refused_once_and_learns_nothing(world):
    stranger = world.new_chat()
    async with world.gateway():
        for _ in range(3):
            await world.say("/price BTC", chat_id=stranger)
        await world.say("/help")
        await world.got("Coins followed")
        await world.got("this is a private bot", chat_id=stranger)
    assert len(await world.inbox(stranger)) == 1


async def test_an_unreachable_telegram_is_asked_until_it_answers(world):
    await world.order(kind="server_error", method="getMe", count=2)
    async with world.gateway():
        await world.got("auto-started")


async def test_a_stop_that_crosses_the_announcement_holds(world):
    await world.order(kind="timeout_after_accept", chat_id=world.chat_id)
    async with world.gateway():
        await world.got("auto-started")
        await world.say("/alerts stop")
        await world.got("Alerts are off.")
    async with world.gateway():
        await world.say("/alerts status")
        await world.got("Alerts are off, set by you")
    await world.got("auto-started")


async def test_a_token_that_is_revoked_gives_no_alert_up(world):
    app = application(Secret(world.token), world.base, 0.5)
    await app.initialize()
    world.fake.revoke_token()
    with pytest.raises(TokenRefused):
        await Sender(app.bot, SystemClock()).send(world.chat_id, "hello")
    await app.shutdown()


async def test_markup_that_telegram_cannot_parse_goes_out_as_plain_text(world):
    app = application(Secret(world.token), world.base, 0.5)
    await app.initialize()
    text = "<b>what</b>\n<blockquote expandable>&lt;why&gt;</blockquote> <i>broken"
    await Sender(app.bot, SystemClock()).send(world.chat_id, text)
    await app.shutdown()
    assert await world.inbox() == ["what\n<why> broken"], "sent once, without markup"


async def test_a_wrong_token_ends_the_service_and_is_not_told(world):
    wrong = world.token.replace("Fake", "Fals")
    told = {
        "KAFKA_BOOTSTRAP_SERVERS": world.bootstrap,
        "TELEGRAM_BOT_TOKEN": wrong,
        "TELEGRAM_API_URL": world.base,
    }
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "telegram_gateway", env=told, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        _, stderr = await service.communicate()
    assert service.returncode == 1
    assert b"Telegram does not know TELEGRAM_BOT_TOKEN" in stderr
    assert wrong.encode() not in stderr


async def dead_letters(bootstrap):
    consumer = AIOKafkaConsumer(
        ALERTS.dead_letters, bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(10):
            return [await consumer.getone()]
    finally:
        await consumer.stop()


async def test_what_is_no_alert_becomes_a_dead_letter_with_its_cause(world):
    await world.subscribe()
    good = world.alert()
    async with world.gateway():
        producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap)
        await producer.start()
        await producer.send_and_wait(ALERTS.name, b"not an alert", key=b"x")
        await producer.stop()
        await world.publish(ALERTS, good)
        await world.reached(good, "SENT")
    assert (b"not an alert", b"first byte") in [
        (record.value, dict(record.headers)["error"][:10])
        for record in await dead_letters(world.bootstrap)
    ]


async def test_settings_are_written_where_the_router_reads_them(world):
    async with world.gateway():
        await world.say("/alerts stop")
        await world.got("Alerts are off.")
        await world.say("/alerts stop")
        await world.got("Alerts are off already.")
        await world.say("/alerts start")
        await world.got("Alerts are on.")
    found = [record.event for record in await records_on(world.bootstrap, SUBSCRIPTIONS)]
    mine = [settings for settings in found if settings.chat_id == world.chat_id]
    assert [(s.active, s.changed_by) for s in mine] == [
        (True, "auto_start"),
        (True, "auto_start"),
        (False, "user"),
        (False, "user"),
        (True, "user"),
    ]
