import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_simulator.telegram import views
from foreshock_simulator.telegram.chats import CHATS_LIMIT, HISTORY_LIMIT, Telegram
from foreshock_simulator.telegram.errors import Refused
from foreshock_simulator.telegram.faults import Fault, Faults
from foreshock_simulator.telegram.live import FEEDS_LIMIT, Feeds, TooManyFeeds
from foreshock_simulator.telegram.markup import parse_html, plain, units, with_commands
from foreshock_simulator.telegram.methods import perform
from foreshock_simulator.telegram.model import BOT_ID, Change, Draft, Formatted, User
from foreshock_simulator.telegram.photos import Photos
from foreshock_simulator.telegram.requests import Call
from foreshock_simulator.telegram.settings import Settings, SettingsInvalid, load
from foreshock_simulator.telegram.updates import PENDING_LIMIT, Updates

BOT = User(id=BOT_ID, first_name="Foreshock", username="foreshock_bot", is_bot=True)
ANNA = User(id=1, first_name="Anna", username="anna")
PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def png(width=64, height=32, filler=b""):
    return PNG_HEAD + width.to_bytes(4, "big") + height.to_bytes(4, "big") + filler


@pytest.fixture
def changes():
    return []


@pytest.fixture
def telegram(changes):
    made = Telegram(BOT, changes.append)
    made.enter(ANNA)
    return made


def call(telegram, method, files=None, **params):
    text = {
        k: v if isinstance(v, str) else msgspec.json.encode(v).decode() for k, v in params.items()
    }
    return perform(telegram, Call(method=method, params=text, files=files or {}), 1_700_000_000_123)


def refusal(telegram, method, files=None, **params):
    with pytest.raises(Refused) as caught:
        call(telegram, method, files, **params)
    return caught.value.status, caught.value.description


# --- markup


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("a <b>b</b>", "a b", [("bold", 2, 1)]),
        ("<STRONG>b</strong>", "b", [("bold", 0, 1)]),
        ("<i>i</i><em>e</em>", "ie", [("italic", 0, 1), ("italic", 1, 1)]),
        ("<u>u</u><s>s</s>", "us", [("underline", 0, 1), ("strikethrough", 1, 1)]),
        ("<b>x<i>y</i></b>", "xy", [("bold", 0, 2), ("italic", 1, 1)]),
        ("🚨 <b>x</b>", "🚨 x", [("bold", 3, 1)]),
        ("&lt;b&gt; &amp; &quot; &#65;&#x42;", '<b> & " AB', []),
        ("&nbsp; & &unknown; &#0;", "&nbsp; & &unknown; &#0;", []),
        ("<code>x</code><pre>y</pre>", "xy", [("code", 0, 1), ("pre", 1, 1)]),
        ("<blockquote>q</blockquote>", "q", [("blockquote", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", 0, 1)]),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<b></b>x", "x", []),
        ("  <b> x </b>  ", "x", [("bold", 0, 1)]),
        ("<b>x</>", "x", [("bold", 0, 1)]),
    ],
)
def test_html_becomes_text_and_entities(html, text, entities):
    parsed = parse_html(html)
    assert parsed.text == text
    assert [(e.type, e.offset, e.length) for e in parsed.entities] == entities


def test_links_and_languages_keep_their_details():
    link = parse_html('<a href="https://x.org/?a=1&amp;b=2">here</a>').entities[0]
    assert (link.type, link.url) == ("text_link", "https://x.org/?a=1&b=2")
    code = parse_html('<pre><code class="language-python">x = 1</code></pre>').entities
    assert [(e.type, e.language) for e in code] == [("pre", "python")]
    assert parse_html('<a href="javascript">x</a>').entities == ()


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("ü<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href=x/y>z</a>", "Unexpected end of name token at byte offset 8"),
        ("<a =x>z</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
    ],
)
def test_broken_html_is_refused_in_the_real_words(html, words):
    with pytest.raises(Refused) as caught:
        parse_html(html)
    assert caught.value.status == 400
    assert caught.value.description == f"Bad Request: can't parse entities: {words}"


@given(st.text(alphabet=st.sampled_from("<>/b ia=\"'&;ltx🚨\n#") | st.characters(codec="utf-8")))
def test_any_text_is_parsed_or_refused_and_entities_lie_inside(html):
    try:
        parsed = parse_html(html)
    except Refused:
        return
    assert parsed.text == parsed.text.strip()
    assert all(0 <= e.offset < e.offset + e.length <= units(parsed.text) for e in parsed.entities)


@given(st.text(st.characters(codec="utf-8")))
def test_escaped_text_comes_back_as_it_was(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert parse_html(f"<b>{escaped}</b>").text == text.strip()


def test_commands_are_found_but_not_in_code_or_paths():
    found = with_commands(
        plain("🚨 /help, or /alerts@foreshock_bot stop; not a/b nor https://x.org/help")
    )
    assert [(e.offset, e.length) for e in found.entities] == [(3, 5), (13, 21)]
    assert [e.type for e in with_commands(parse_html("<code>/help</code>")).entities] == ["code"]


# --- updates


def test_updates_stay_until_the_next_offset_confirms_them():
    updates = Updates()
    for n in range(5):
        updates.add("message", n)
    assert [u["update_id"] for u in updates.peek(3)] == [1, 2, 3]
    updates.confirm(3)
    assert [u["update_id"] for u in updates.peek(100)] == [3, 4, 5]
    updates.confirm(-1)
    assert [u["update_id"] for u in updates.peek(100)] == [5]
    updates.confirm(99)
    assert updates.peek(100) == []


def test_unwanted_kinds_are_dropped_until_the_wish_changes():
    updates = Updates()
    updates.allow(["callback_query"])
    assert not updates.add("message", 1)
    assert updates.add("callback_query", 2)
    updates.allow([])
    assert updates.add("message", 3)
    assert [u["update_id"] for u in updates.peek(9)] == [1, 2]


def test_pending_updates_are_bounded():
    updates = Updates()
    for n in range(PENDING_LIMIT + 5):
        updates.add("message", n)
    assert len(updates) == PENDING_LIMIT
    assert updates.peek(1)[0]["update_id"] == 6


# --- chats and methods


def test_a_sent_message_is_in_the_inbox_without_markup(telegram, changes):
    wire = call(
        telegram, "sendmessage", chat_id=1, text="<b>BTC</b> &lt;3 /help", parse_mode="HTML"
    )
    assert (wire["text"], wire["date"], wire["chat"]["id"]) == ("BTC <3 /help", 1_700_000_000, 1)
    assert [e["type"] for e in wire["entities"]] == ["bold", "bot_command"]
    assert views.inbox(telegram, 1) == [
        {"message_id": 1, "ts_ms": 1_700_000_000_123, "text": "BTC <3 /help", "edits": 0}
    ]
    assert [(c.kind, c.chat_id) for c in changes] == [("message", 1)]


def test_an_edit_replaces_text_and_buttons_and_is_counted(telegram):
    keyboard = {"inline_keyboard": [[{"text": "Mute", "callback_data": "m"}]]}
    call(telegram, "sendmessage", chat_id=1, text="a", reply_markup=keyboard)
    wire = call(telegram, "editmessagetext", chat_id=1, message_id=1, text="b")
    assert "reply_markup" not in wire
    assert wire["edit_date"] == 1_700_000_000
    assert [(m["text"], m["edits"]) for m in views.inbox(telegram, 1)] == [("b", 1)]
    call(telegram, "editmessagereplymarkup", chat_id=1, message_id=1, reply_markup=keyboard)
    assert telegram.messages(1)[0].keyboard[0][0].text == "Mute"


def test_what_the_user_types_is_an_update_and_not_in_the_inbox(telegram):
    telegram.say(1, " /alerts stop ", 5_000)
    [update] = telegram.updates.peek(9)
    message = update["message"]
    assert (message["text"], message["from"]["id"], message["date"]) == ("/alerts stop", 1, 5)
    assert list(message["entities"]) == [{"type": "bot_command", "offset": 0, "length": 7}]
    assert views.inbox(telegram, 1) == []
    with pytest.raises(Refused):
        telegram.say(1, "  ", 0)


def test_a_pressed_button_is_answered_once(telegram, changes):
    keyboard = {"inline_keyboard": [[{"text": "Mute", "callback_data": "m:1"}]]}
    call(telegram, "sendmessage", chat_id=1, text="a", reply_markup=keyboard)
    query_id = telegram.press(1, 1, "m:1")
    [update] = telegram.updates.peek(9)
    query = update["callback_query"]
    assert (query["id"], query["data"], query["message"]["message_id"]) == (query_id, "m:1", 1)
    assert call(telegram, "answercallbackquery", callback_query_id=query_id, text="Muted") is True
    assert changes[-1].data["text"] == "Muted"
    again = refusal(telegram, "answercallbackquery", callback_query_id=query_id)
    words = "query is too old and response timeout expired or query ID is invalid"
    assert again == (400, f"Bad Request: {words}")
    with pytest.raises(Refused):
        telegram.press(1, 1, "other")


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendmessage", {"chat_id": 1, "text": ""}, "message text is empty"),
        ("sendmessage", {"chat_id": 1}, "message text is empty"),
        ("sendmessage", {"chat_id": 1, "text": " \n "}, "text must be non-empty"),
        ("sendmessage", {"chat_id": 1, "text": "x" * 4097}, "message is too long"),
        ("sendmessage", {"chat_id": 9, "text": "x"}, "chat not found"),
        ("sendmessage", {"chat_id": "@channel", "text": "x"}, "chat not found"),
        ("sendmessage", {"text": "x"}, "chat_id is empty"),
        (
            "sendmessage",
            {"chat_id": 1, "text": "x", "parse_mode": "Wiki"},
            "unsupported parse_mode",
        ),
        (
            "sendmessage",
            {"chat_id": 1, "text": "x", "reply_parameters": {"message_id": 77}},
            "message to be replied not found",
        ),
        (
            "sendmessage",
            {"chat_id": 1, "text": "x", "reply_markup": "{"},
            "can't parse reply keyboard markup JSON object",
        ),
        (
            "editmessagetext",
            {"chat_id": 1, "message_id": 7, "text": "x"},
            "message to edit not found",
        ),
        ("deletemessage", {"chat_id": 1, "message_id": 7}, "message to delete not found"),
        ("sendphoto", {"chat_id": 1}, "there is no photo in the request"),
        (
            "sendphoto",
            {"chat_id": 1, "photo": "https://x.org/a.png"},
            "wrong file identifier/HTTP URL specified",
        ),
        (
            "setmycommands",
            {"commands": [{"command": "Ä", "description": "x"}]},
            "BOT_COMMAND_INVALID",
        ),
    ],
)
def test_refusals_have_the_real_words(telegram, method, params, words):
    assert refusal(telegram, method, **params) == (400, f"Bad Request: {words}")


def test_lengths_count_after_parsing(telegram):
    call(telegram, "sendmessage", chat_id=1, text=f"<b>{'&amp;' * 4096}</b>", parse_mode="HTML")
    assert telegram.messages(1)[0].content.text == "&" * 4096
    photo = {"photo": png()}
    call(telegram, "sendphoto", photo, chat_id=1, caption=f"<i>{'x' * 1024}</i>", parse_mode="HTML")
    too_long = refusal(telegram, "sendphoto", photo, chat_id=1, caption="x" * 1025)
    assert too_long == (400, "Bad Request: message caption is too long")


def test_an_equal_edit_is_not_modified(telegram):
    call(telegram, "sendmessage", chat_id=1, text="same")
    words = (
        "message is not modified: specified new message content and reply markup are "
        "exactly the same as a current content and reply markup of the message"
    )
    same = refusal(telegram, "editmessagetext", chat_id=1, message_id=1, text="same")
    assert same == (400, f"Bad Request: {words}")
    assert views.inbox(telegram, 1)[0]["edits"] == 0


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ({"text": "x", "callback_data": "ü" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "url": "javascript:alert(1)"}, "BUTTON_URL_INVALID"),
        ({"text": "x"}, "text buttons are unallowed in the inline keyboard"),
        ({"text": "", "callback_data": "x"}, "text buttons must be non-empty"),
    ],
)
def test_impossible_buttons_are_refused(telegram, button, words):
    keyboard = {"inline_keyboard": [[button]]}
    refused = refusal(telegram, "sendmessage", chat_id=1, text="x", reply_markup=keyboard)
    assert refused == (400, f"Bad Request: {words}")
    full = {"inline_keyboard": [[{"text": "x", "callback_data": "ü" * 32}]]}
    call(telegram, "sendmessage", chat_id=1, text="x", reply_markup=full)


def test_an_unknown_method_is_not_found(telegram):
    assert refusal(telegram, "sendfoo", chat_id=1) == (404, "Not Found: method not found")


def test_a_picture_keeps_its_size_and_can_be_sent_again(telegram):
    wire = call(telegram, "sendphoto", {"chart": png(800, 420)}, chat_id=1, photo="attach://chart")
    size = wire["photo"][0]
    assert (size["width"], size["height"]) == (800, 420)
    again = call(telegram, "sendphoto", chat_id=1, photo=size["file_id"], caption="again")
    assert again["photo"] == wire["photo"]
    assert [m["text"] for m in views.inbox(telegram, 1)] == ["", "again"]
    no_text = refusal(telegram, "editmessagetext", chat_id=1, message_id=1, text="x")
    assert no_text == (400, "Bad Request: there is no text in the message to edit")
    call(telegram, "editmessagecaption", chat_id=1, message_id=1, caption="now")
    assert views.inbox(telegram, 1)[0]["text"] == "now"


def test_pictures_are_bounded_and_must_be_pictures():
    photos = Photos(limit_bytes=100)
    first = photos.put(png(1, 1, b"a" * 60))
    second = photos.put(png(1, 1, b"b" * 60))
    assert photos.read(first.file_id) is None
    assert photos.read(second.file_id) == ("image/png", png(1, 1, b"b" * 60))
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x20\x00\x40"
    assert (photos.put(jpeg).width, photos.put(jpeg).height) == (64, 32)
    for bad in (b"", b"GIF89a", PNG_HEAD, b"\xff\xd8\xff"):
        with pytest.raises(Refused, match="IMAGE_PROCESS_FAILED"):
            photos.put(bad)
    with pytest.raises(Refused, match="PHOTO_INVALID_DIMENSIONS"):
        photos.put(png(9_000, 9_000))


def test_history_and_chats_are_bounded(telegram):
    for n in range(HISTORY_LIMIT + 3):
        telegram.send(1, Draft(content=Formatted(text=str(n))), n)
    kept = telegram.messages(1)
    assert (len(kept), kept[0].content.text) == (HISTORY_LIMIT, "3")
    assert [m.content.text for m in telegram.messages(1, 2)] == ["1001", "1002"]
    for n in range(2, CHATS_LIMIT + 1):
        telegram.enter(User(id=n, first_name="x", username="x"))
    with pytest.raises(Refused):
        telegram.enter(User(id=CHATS_LIMIT + 1, first_name="x", username="x"))


def test_a_chat_sees_its_most_particular_commands(telegram):
    def set_for(name, scope):
        commands = [{"command": name, "description": "does it"}]
        call(telegram, "setmycommands", commands=commands, scope=scope)

    set_for("all", {"type": "default"})
    assert views.config(telegram, 2)["commands"] == ({"command": "all", "description": "does it"},)
    set_for("private", {"type": "all_private_chats"})
    set_for("mine", {"type": "chat", "chat_id": 1})
    assert views.config(telegram, 1)["commands"][0]["command"] == "mine"
    assert views.config(telegram, 2)["commands"][0]["command"] == "private"
    call(telegram, "deletemycommands", scope={"type": "chat", "chat_id": 1})
    assert views.config(telegram, 1)["commands"][0]["command"] == "private"


def test_a_deleted_message_is_gone(telegram, changes):
    call(telegram, "sendmessage", chat_id=1, text="x")
    assert call(telegram, "deletemessage", chat_id=1, message_id=1) is True
    assert views.inbox(telegram, 1) == []
    assert changes[-1] == Change(kind="deleted", chat_id=1, data={"message_id": 1})


# --- faults, feeds, settings


def test_a_fault_meets_its_chat_as_often_as_ordered():
    faults = Faults()
    faults.order(Fault(kind="flood", chat_id=1, retry_after=3, count=2))
    assert faults.take("sendmessage", 2) is None
    assert faults.take("getupdates", None) is None
    taken = [faults.take("sendmessage", 1) for _ in range(3)]
    assert [f.kind if f else None for f in taken] == ["flood", "flood", None]
    faults.order(Fault(kind="conflict"))
    assert faults.take("sendmessage", 1) is None
    assert faults.take("getupdates", None) is not None
    faults.order(Fault(kind="server_error", method="getMe"))
    assert faults.take("getme", None) is not None


def test_a_slow_feed_is_ended_and_feeds_are_bounded():
    feeds = Feeds()
    with feeds.open(1) as slow:
        for _ in range(300):
            feeds.tell(Change(kind="menu"))
        assert slow.changes.get_nowait() is None
        assert slow.changes.empty()
    opened = [feeds.open(1) for _ in range(FEEDS_LIMIT)]
    for context in opened:
        context.__enter__()
    with pytest.raises(TooManyFeeds), feeds.open(1):
        pass
    for context in opened:
        context.__exit__(None, None, None)


def test_settings_come_from_the_environment():
    assert load({}) == Settings()
    given = {"TELEGRAM_FAKE_PORT": "8085", "TELEGRAM_FAKE_CHAT_ID": "7", "TELEGRAM_FAKE_TOKEN": ""}
    assert load(given) == Settings(port=8085, chat_id=7)
    with pytest.raises(SettingsInvalid, match="port"):
        load({"TELEGRAM_FAKE_PORT": "many"})
