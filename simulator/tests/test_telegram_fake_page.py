"""The chat page in a real Chromium."""

import shutil
import zlib
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from playwright.async_api import async_playwright, expect

from foreshock_simulator.telegram.fake import Fake
from foreshock_simulator.telegram.server import serve

pytestmark = pytest.mark.browser

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeF"
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
NOON_MS = 1_700_049_600_000
ALERT = """🚨 <b>BTC long cascade</b> <i>going on</i>
<b>$6.17M</b> of longs liquidated in 84 s
Price <code>67,412</code> → <a href="https://example.org/btc">66,021</a>, see /help
<blockquote expandable>Why: 31 liquidations
Daily volume $18.2B
Open interest fell 3.1 %
Feeds: binance LIVE</blockquote>"""
KEYBOARD = {
    "inline_keyboard": [
        [{"text": "Mute 1 h", "callback_data": "mute:1"}, {"text": "Why", "callback_data": "why"}],
        [{"text": "Chart", "url": "https://example.org/chart"}],
    ]
}
READ = (
    *("#bot-name", "#state", ".tag", ".text", ".text code", ".text a", ".command", ".more"),
    *(".stamp", ".mine .text", ".mine .stamp", ".mine .command", ".key", ".reply b"),
    *(".reply span", ".date"),
)
CONTRASTS = """names => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return {rgb: [r, g, b], a};
  };
  const over = (top, below) => top.rgb.map((v, i) => v * top.a + below[i] * (1 - top.a));
  const ground = e => {
    if (!e) return [255, 255, 255];
    return over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement));
  };
  const light = rgb => rgb.map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = e => {
    const back = ground(e), front = over(parse(getComputedStyle(e).color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  return Object.fromEntries(names.map(n => [n, ratio(document.querySelector(n))]));
}"""  # WCAG 2.2, relative luminance and contrast ratio
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


class Clock:
    def __init__(self):
        self.ms = NOON_MS

    def __call__(self):
        return self.ms


class World:
    """The fake, its address, and a bot that calls it."""

    def __init__(self, fake, clock, base, session):
        self.fake, self.clock, self.base, self._session = fake, clock, base, session

    async def bot(self, method, **params):
        params.setdefault("chat_id", 1)
        async with self._session.post(f"{self.base}/bot{TOKEN}/{method}", json=params) as answer:
            body = await answer.json()
        assert body["ok"], body
        return body["result"]

    async def send_photo(self, data, **params):
        form = aiohttp.FormData({"chat_id": "1", **params})
        form.add_field("photo", data, filename="chart.png", content_type="image/png")
        url = f"{self.base}/bot{TOKEN}/sendPhoto"
        async with self._session.post(url, data=form) as answer:
            assert answer.status == 200


@asynccontextmanager
async def world(port=0):
    clock = Clock()
    fake = Fake(chat_id=1, user_name="Anna", now_ms=clock)
    async with serve(fake, port) as base, aiohttp.ClientSession() as session:
        yield World(fake, clock, base, session)


@asynccontextmanager
async def browser():
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("chromium is not on the PATH: apt-get install chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=ARGS)
        try:
            yield running
        finally:
            await running.close()


@asynccontextmanager
async def page_of(base, size=None, scheme="light"):
    problems = []
    async with browser() as running:
        page = await running.new_page(viewport=size or PHONE, color_scheme=scheme)
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(base)
        await expect(page.locator("#state")).to_have_text("live")
        yield page
    assert problems == []


def png(width, height):
    def chunk(kind, data):
        tail = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + tail

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    rows = zlib.compress((b"\x00" + b"\x40\x80\xc0" * width) * height)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", size + b"\x08\x02\x00\x00\x00"),
            chunk(b"IDAT", rows),
            chunk(b"IEND", b""),
        ]
    )


async def test_an_empty_chat_says_what_will_come_then_a_formatted_alert_arrives():
    async with world() as w, page_of(w.base) as page:
        await expect(page.locator("#empty")).to_contain_text("The bot will write here…")
        await w.bot("sendMessage", text=ALERT, parse_mode="HTML", reply_markup=KEYBOARD)
        message = page.locator(".message")
        await expect(message).to_have_count(1)
        await expect(page.locator("#empty")).to_be_hidden()
        await expect(message.locator("b").first).to_have_text("BTC long cascade")
        await expect(message.locator("i")).to_have_text("going on")
        await expect(message.locator("code")).to_have_text("67,412")
        link = message.locator(".text a")
        await expect(link).to_have_attribute("href", "https://example.org/btc")
        await expect(link).to_have_attribute("rel", "noopener noreferrer")
        await expect(message.locator("time")).to_have_attribute(
            "datetime", "2023-11-15T12:00:00.000Z"
        )
        await message.get_by_role("button", name="Show more").click()
        await expect(message.locator("blockquote.folded")).to_have_count(0)
        await w.bot("editMessageText", message_id=1, text="over")
        await expect(message.locator(".text")).to_have_text("over")
        await expect(message.locator(".stamp")).to_contain_text("edited")
        await w.bot("deleteMessage", message_id=1)
        await expect(page.locator("#empty")).to_be_visible()


async def test_a_typed_command_reaches_the_bot():
    async with world() as w, page_of(w.base) as page:
        field = page.get_by_label("Message to the bot")
        await field.fill("/price BTC")
        await field.press("Enter")
        await expect(page.locator(".message.mine .text")).to_have_text("/price BTC")
        await expect(field).to_have_value("")
        [update] = await w.bot("getUpdates")
        assert update["message"]["text"] == "/price BTC"
        assert update["message"]["entities"][0]["type"] == "bot_command"


async def test_the_command_menu_lists_suggests_and_sends():
    commands = [
        {"command": "price", "description": "price of a coin"},
        {"command": "profile", "description": "where the volume traded"},
        {"command": "alerts", "description": "start, stop or status"},
    ]
    async with world() as w, page_of(w.base) as page:
        await w.bot("setMyCommands", commands=commands)
        options = page.get_by_role("option")
        await page.get_by_role("button", name="Commands").click()
        await expect(options).to_have_count(3)
        await page.keyboard.press("Escape")
        field = page.get_by_label("Message to the bot")
        await field.press_sequentially("/pr")
        await expect(options).to_have_count(2)
        await field.press("Tab")
        await expect(field).to_have_value("/price ")
        await field.fill("/")
        await field.press("ArrowUp")
        await field.press("Enter")
        await expect(page.locator(".mine .text")).to_have_text("/alerts")


async def test_a_pressed_button_calls_back_and_shows_the_answer():
    async with world() as w, page_of(w.base) as page:
        await w.bot("sendMessage", text="x", reply_markup=KEYBOARD)
        key = page.get_by_role("button", name="Mute 1 h")
        await key.click()
        await expect(key).to_have_attribute("aria-busy", "true")
        [update] = await w.bot("getUpdates", timeout=5)
        query = update["callback_query"]
        assert query["data"] == "mute:1"
        await w.bot("answerCallbackQuery", callback_query_id=query["id"], text="Muted for 1 h")
        await expect(page.locator("#toast")).to_have_text("Muted for 1 h")
        await expect(key).not_to_have_attribute("aria-busy", "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_nothing_overflows_sideways_and_the_newest_is_in_view(size, scheme):
    async with world() as w:
        table = "exchange     price      funding    open interest   long/short   volume"
        await w.bot("sendMessage", text=f"<pre>{table}</pre>", parse_mode="HTML")
        await w.send_photo(png(800, 420), caption="BTC, last 30 minutes")
        await w.bot("sendMessage", text="x" * 400)
        await w.bot("sendMessage", text=ALERT, parse_mode="HTML", reply_markup=KEYBOARD)
        async with page_of(w.base, size, scheme) as page:
            await expect(page.locator(".message")).to_have_count(4)
            await expect(page.locator(".keys")).to_be_in_viewport(ratio=1)
            await expect(page.locator(".composer")).to_be_in_viewport(ratio=1)
            wide = "e => e.scrollWidth - e.clientWidth"
            assert await page.locator("html").evaluate(wide) == 0
            assert await page.locator("#scroll").evaluate(wide) == 0
            await expect(page.locator(".photo img")).to_have_js_property("naturalWidth", 800)


async def test_markup_of_strangers_stays_text():
    async with world() as w, page_of(w.base) as page:
        escaped = EVIL.replace("<", "&lt;").replace(">", "&gt;")
        await w.bot("sendMessage", text=f"<b>{escaped}</b>", parse_mode="HTML")
        commands = [{"command": "x", "description": EVIL}]
        await w.bot("setMyCommands", commands=commands)
        evil_keys = {"inline_keyboard": [[{"text": EVIL, "callback_data": "x"}]]}
        await w.bot("sendMessage", text=EVIL, reply_markup=evil_keys)
        link = [{"type": "text_link", "offset": 0, "length": 4, "url": "javascript:alert(1)"}]
        await w.bot("sendMessage", text="link", entities=link)
        w.fake.say(1, EVIL)
        texts = page.locator(".message .text")
        await expect(texts).to_have_text([EVIL, EVIL, "link", EVIL])
        await page.get_by_role("button", name="Commands").click()
        await expect(page.get_by_role("option")).to_contain_text("onerror")
        assert await page.locator("#log script, #log img, #log a, .dock img").count() == 0
        assert "owned" not in await page.title()


async def test_a_reader_of_old_messages_is_told_and_not_moved():
    async with world() as w:
        for n in range(40):
            await w.bot("sendMessage", text=f"message {n}")
        async with page_of(w.base) as page:
            await expect(page.get_by_text("message 39", exact=True)).to_be_in_viewport()
            await page.locator("#scroll").evaluate("e => { e.scrollTop = 300 }")
            await expect(page.locator("#chip")).to_be_visible()
            await w.bot("sendMessage", text="news")
            await expect(page.locator("#chip")).to_have_text("1 new message")
            assert await page.locator("#scroll").evaluate("e => e.scrollTop") == 300
            await page.locator("#chip").click()
            await expect(page.get_by_text("news", exact=True)).to_be_in_viewport()
            await expect(page.locator("#chip")).to_be_hidden()


async def test_days_are_kept_apart():
    async with world() as w:
        await w.bot("sendMessage", text="early")
        w.clock.ms += 24 * 3_600_000
        await w.bot("sendMessage", text="late")
        async with page_of(w.base) as page:
            dates = page.locator(".date")
            await expect(dates).to_have_text(["Wednesday 15 November", "Thursday 16 November"])


async def test_a_lost_server_shows_a_banner_and_the_page_catches_up():
    async with AsyncExitStack() as stack:
        async with world() as w:
            port = int(w.base.rpartition(":")[2])
            await w.bot("sendMessage", text="before")
            page = await stack.enter_async_context(page_of(w.base))
            await expect(page.locator(".message")).to_have_count(1)
        await expect(page.locator("#banner")).to_contain_text("Connection lost")
        await expect(page.locator("#state")).to_have_text("reconnecting…")
        async with world(port) as again:
            await again.bot("sendMessage", text="after")
            await page.get_by_role("button", name="Try now").click()
            await expect(page.locator(".message .text")).to_have_text(["after"])
            await expect(page.locator("#banner")).to_be_hidden()
            await expect(page.locator("#state")).to_have_text("live")


async def test_controls_have_names():
    async with world() as w, page_of(w.base) as page:
        await w.bot("sendMessage", text=ALERT, parse_mode="HTML", reply_markup=KEYBOARD)
        await expect(page.locator(".message")).to_have_count(1)
        nameless = await page.evaluate(
            """() => [...document.querySelectorAll('button, a, textarea')]
                .filter(e => !(e.getAttribute('aria-label') || e.textContent).trim()
                    && e.offsetParent).length"""
        )
        assert nameless == 0
        assert await page.locator("#log").get_attribute("aria-live") == "polite"
        assert await page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(scheme):
    async with world() as w:
        reply = {"message_id": 1}
        await w.bot("sendMessage", text=ALERT, parse_mode="HTML", reply_markup=KEYBOARD)
        await w.bot("sendMessage", text="reply", reply_parameters=reply)
        w.fake.say(1, "/price BTC")
        async with page_of(w.base, PHONE, scheme) as page:
            await expect(page.locator(".message")).to_have_count(3)
            ratios = await page.evaluate(CONTRASTS, list(READ))
    assert {name for name, ratio in ratios.items() if ratio < 4.5} == set()
