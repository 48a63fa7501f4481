"""A real python-telegram-bot Application against the fake."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
import telegram.error
from telegram import BotCommandScopeChat, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import Application, CallbackQueryHandler, CommandHandler

from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.telegram.server import serve

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeF"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (64).to_bytes(4, "big") + (32).to_bytes(4, "big")
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("Mute", callback_data="mute:BTC")]])


class Clock:
    def __init__(self):
        self.ms = 1_700_000_000_000

    def __call__(self):
        self.ms += 1_000
        return self.ms


@asynccontextmanager
async def running(token=None):
    fake = Fake(chat_id=1, user_name="Anna", now_ms=Clock(), token=token)
    async with serve(fake) as base, aiohttp.ClientSession(base) as session:
        yield fake, base, session


@pytest.fixture
async def server():
    async with running() as parts:
        yield parts


def application(base, token=TOKEN):
    builder = Application.builder().token(token).base_url(f"{base}/bot")
    return builder.base_file_url(f"{base}/file/bot").read_timeout(5).build()


@pytest.fixture
async def bot(server):
    async with application(server[1]).bot as made:
        yield made


@asynccontextmanager
async def polling(app, on_error=None):
    async with app:
        await app.start()
        await app.updater.start_polling(timeout=10, error_callback=on_error)
        try:
            yield app
        finally:
            await app.updater.stop()
            await app.stop()


async def say(session, text, chat_id=1):
    async with session.post("/say", json={"chat_id": chat_id, "text": text}) as answer:
        assert answer.status == 200
        return await answer.json()


async def inbox(session, chat_id=1):
    async with session.get("/inbox", params={"chat_id": chat_id}) as answer:
        return await answer.json()


async def inbox_of(session, count):
    async with asyncio.timeout(10):
        while len(found := await inbox(session)) < count:
            await asyncio.sleep(0.01)
    return found


async def order(session, **fault):
    async with session.post("/_fake/fault", json=fault) as answer:
        assert answer.status == 200, await answer.text()


async def test_typed_commands_reach_handlers_and_answers_the_inbox(server):
    _, base, session = server
    app = application(base)

    async def price(update, context):
        assert update.effective_user.first_name == "Anna"
        await update.message.reply_html(f"<b>{context.args[0]}</b> &lt;3")

    app.add_handler(CommandHandler("price", price))
    async with polling(app):
        await say(session, "/price BTC")
        [message] = await inbox_of(session, 1)
        await say(session, "/price@foreshock_demo_bot ETH")
        second = (await inbox_of(session, 2))[1]
    assert set(message) == {"message_id", "ts_ms", "text", "edits"}
    assert (message["text"], message["edits"], second["text"]) == ("BTC <3", 0, "ETH <3")
    assert message["ts_ms"] > 1_700_000_000_000


async def test_a_pressed_button_is_answered_and_the_message_edited(server):
    fake, base, session = server
    app = application(base)
    answered = asyncio.Event()

    async def mute(update, _context):
        await update.callback_query.answer("Muted for an hour")
        await update.callback_query.edit_message_text(f"muted by {update.callback_query.data}")
        answered.set()

    app.add_handler(CallbackQueryHandler(mute, pattern="^mute:"))
    async with polling(app):
        sent = await app.bot.send_message(1, "BTC cascade", reply_markup=KEYBOARD)
        press = {"chat_id": 1, "message_id": sent.message_id, "data": "mute:BTC"}
        async with session.post("/press", json=press) as answer:
            assert answer.status == 200
        async with asyncio.timeout(10):
            await answered.wait()
        async with session.post("/press", json=press) as answer:
            assert answer.status == 400
    [message] = await inbox(session)
    assert (message["text"], message["edits"]) == ("muted by mute:BTC", 1)
    assert fake.telegram.messages(1)[0].keyboard == ()


async def test_everything_a_bot_sets_and_sends_is_taken(server, bot):
    fake, base, session = server
    assert (await bot.get_me()).username == "foreshock_demo_bot"
    await bot.set_my_commands([("price", "of a coin")], scope=BotCommandScopeChat(1))
    [command] = await bot.get_my_commands(scope=BotCommandScopeChat(1))
    assert command.command == "price"
    await bot.set_my_description("Warns of cascades")
    await bot.set_my_short_description("Warns")
    await bot.set_chat_menu_button()
    await bot.send_chat_action(1, "typing")
    assert (await bot.get_webhook_info()).url == ""
    sent = await bot.send_message(1, "text", disable_notification=True)
    photo = await bot.send_photo(1, PNG, caption="<i>chart</i>", parse_mode="HTML")
    again = await bot.send_photo(1, photo.photo[0].file_id, reply_to_message_id=sent.message_id)
    assert again.reply_to_message.message_id == sent.message_id
    assert [m["text"] for m in await inbox(session)] == ["text", "chart", ""]
    async with session.get(f"/photo/{photo.photo[0].file_id}") as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", PNG)
    async with session.get("/config") as answer:
        config = await answer.json()
    assert config["user"] == "Anna"
    assert config["description"] == "Warns of cascades"
    assert await bot.delete_message(1, sent.message_id)
    assert len(await inbox(session)) == 2
    assert fake.telegram.messages(1)[0].content.entities[0].type == "italic"
    assert base.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("send", "words"),
    [
        (lambda b: b.send_message(1, "<b>x", parse_mode="HTML"), "Can't parse entities: "),
        (lambda b: b.send_message(1, "x" * 4097), "Message is too long"),
        (lambda b: b.send_message(1, ""), "Message text is empty"),
        (lambda b: b.send_message(5, "x"), "Chat not found"),
        (lambda b: b.send_photo(1, PNG, caption="x" * 1025), "Message caption is too long"),
        (lambda b: b.send_photo(1, b"no picture"), "Image_process_failed"),
        (lambda b: b.edit_message_text("x", 1, 99), "Message to edit not found"),
        (lambda b: b.answer_callback_query("99"), "Query is too old"),
    ],
)
async def test_refusals_are_bad_requests(bot, send, words):
    with pytest.raises(telegram.error.BadRequest) as caught:
        await send(bot)
    assert words.lower() in str(caught.value).lower()


async def test_an_equal_edit_is_a_bad_request(bot):
    sent = await bot.send_message(1, "same")
    with pytest.raises(telegram.error.BadRequest, match=r"(?i)message is not modified"):
        await bot.edit_message_text("same", 1, sent.message_id)


async def test_a_flood_is_retry_after_for_that_chat_only(server, bot, monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    session = server[2]
    await say(session, "hello", chat_id=2)
    await order(session, kind="flood", chat_id=1, retry_after=7, count=1)
    await bot.send_message(2, "not concerned")
    with pytest.raises(telegram.error.RetryAfter) as caught:
        await bot.send_message(1, "x")
    assert caught.value.retry_after == timedelta(seconds=7)
    await bot.send_message(1, "x")
    assert [m["text"] for m in await inbox(session)] == ["x"]


async def test_a_blocked_bot_is_forbidden(server, bot):
    await order(server[2], kind="blocked", chat_id=1)
    with pytest.raises(telegram.error.Forbidden, match="bot was blocked by the user"):
        await bot.send_message(1, "x")


async def test_a_server_error_is_a_network_error_and_nothing_is_sent(server, bot):
    await order(server[2], kind="server_error")
    with pytest.raises(telegram.error.NetworkError, match="Internal Server Error"):
        await bot.send_message(1, "x")
    assert await inbox(server[2]) == []


async def test_a_lost_answer_times_out_though_the_message_arrived(server, bot):
    await order(server[2], kind="timeout_after_accept", chat_id=1)
    with pytest.raises(telegram.error.TimedOut):
        await bot.send_message(1, "x", read_timeout=0.2)
    assert [m["text"] for m in await inbox(server[2])] == ["x"]


async def test_an_ordered_conflict_meets_the_poller(server, bot):
    await order(server[2], kind="conflict")
    with pytest.raises(telegram.error.Conflict, match="terminated by other getUpdates request"):
        await bot.get_updates()


async def test_a_second_poller_ends_the_first(server, bot):
    fake, base, session = server
    async with application(base).bot as rival, asyncio.TaskGroup() as group:
        first = group.create_task(outcome(bot.get_updates(timeout=10)))
        async with asyncio.timeout(5):
            while fake.polling._waiting is None:
                await asyncio.sleep(0.01)
        second = group.create_task(outcome(rival.get_updates(timeout=10)))
        assert isinstance(await first, telegram.error.Conflict)
        await say(session, "hello")
        [update] = await second
    assert update.message.text == "hello"


async def outcome(awaitable):
    try:
        return await awaitable
    except telegram.error.TelegramError as e:
        return e


async def test_updates_come_back_until_they_are_confirmed(server, bot):
    await say(server[2], "one")
    await say(server[2], "two")
    first = await bot.get_updates(limit=1)
    assert [u.message.text for u in await bot.get_updates()] == ["one", "two"]
    rest = await bot.get_updates(offset=first[0].update_id + 1)
    assert [u.message.text for u in rest] == ["two"]
    assert await bot.get_updates(offset=rest[0].update_id + 1) == ()
    await bot.get_updates(allowed_updates=["callback_query"])
    await say(server[2], "unwanted")
    assert await bot.get_updates() == ()


@pytest.mark.parametrize("token", ["987654321:wrong", "nonsense"])
async def test_a_wrong_token_is_invalid(token):
    async with running(token=TOKEN) as (_, base, _session):
        async with application(base).bot as right:
            assert right.username == "foreshock_demo_bot"
        wrong = application(base, token).bot
        with pytest.raises(telegram.error.InvalidToken):
            await wrong.initialize()
        await wrong.shutdown()


async def test_bodies_are_the_real_ones(server):
    session = server[2]
    async with session.get(f"/bot{TOKEN}/sendFoo") as answer:
        body = {"ok": False, "error_code": 404, "description": "Not Found: method not found"}
        assert (answer.status, await answer.json()) == (404, body)
    await order(session, kind="flood", retry_after=9)
    async with session.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": 1, "text": "x"}) as answer:
        assert answer.status == 429
        assert await answer.json() == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 9",
            "parameters": {"retry_after": 9},
        }
    async with session.get(f"/bot{TOKEN}/sendMessage?chat_id=1&text=by+get") as answer:
        assert (await answer.json())["result"]["text"] == "by get"
    big = aiohttp.FormData({"chat_id": "1"})
    big.add_field("photo", io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), filename="x.png")
    async with session.post(f"/bot{TOKEN}/sendPhoto", data=big) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("multipart/form-data; boundary=x", b"junk"),
        ("multipart/form-data", b"junk"),
        ("application/json", b"{"),
        ("application/json", b"[]"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request(server, media, body):
    headers = {"Content-Type": media}
    path = f"/bot{TOKEN}/sendMessage"
    async with server[2].post(path, data=body, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["description"].startswith("Bad Request: can't parse")


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({"Content-Type": "text/plain"}, b'{"chat_id":1,"text":"x"}', 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"chat_id=1&text=x", 415),
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "application/json"}, b'{"chat_id":"x","text":"x"}', 400),
        ({"Content-Type": "application/json"}, b'{"chat_id":1,"text":""}', 400),
        ({"Content-Type": "application/json", "Origin": "https://evil.example"}, b"{}", 403),
        ({"Content-Type": "application/json", "Origin": "null"}, b"{}", 403),
        ({"Content-Type": "application/json", "Host": "evil.example"}, b"{}", 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, b"{}", 403),
    ],
)
async def test_only_json_from_here_is_typed(server, headers, data, status):
    async with server[2].post("/say", data=data, headers=headers) as answer:
        assert answer.status == status
    assert server[0].telegram.messages(1) == []


async def test_another_site_cannot_send_by_an_image(server):
    headers = {"Sec-Fetch-Site": "cross-site"}
    path = f"/bot{TOKEN}/sendMessage?chat_id=1&text=x"
    async with server[2].get(path, headers=headers) as answer:
        assert answer.status == 403


async def test_the_process_writes_its_endpoints_and_ends_at_once(tmp_path):
    path = tmp_path / "telegram.json"
    env = os.environ | {"TELEGRAM_FAKE_ENDPOINTS_FILE": str(path), "TELEGRAM_FAKE_CHAT_ID": "3"}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "foreshock_simulator.telegram"),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(15):
            while not path.exists():
                await asyncio.sleep(0.02)
        ends = json.loads(path.read_text())
        base = ends["bot_api"]
        assert ends == {"bot_api": base, "chat_page": f"{base}/", "chat_id": 3}
        await end_while_busy(child, base)
    finally:
        if child.returncode is None:
            child.kill()
    out, err = await child.communicate()
    assert (child.returncode, err) == (0, b"")
    assert TOKEN.encode() not in out
    assert not path.exists()


async def end_while_busy(child, base):
    async with aiohttp.ClientSession(base) as session, session.get("/live") as live:
        assert await live.content.readline() == b"event: snapshot\n"
        async with asyncio.TaskGroup() as group:
            group.create_task(poll_to_the_end(session))
            async with session.get(f"/bot{TOKEN}/getWebhookInfo") as answer:
                assert answer.status == 200
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(1):
                await child.wait()


async def poll_to_the_end(session):
    try:
        async with session.get(f"/bot{TOKEN}/getUpdates?timeout=30") as answer:
            await answer.read()
    except aiohttp.ClientError:
        return


def test_bad_settings_are_named():
    env = os.environ | {"TELEGRAM_FAKE_PORT": "many"}
    command = [sys.executable, "-m", "foreshock_simulator.telegram"]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 78
    assert "port" in ended.stderr
