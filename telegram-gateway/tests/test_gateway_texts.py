"""Who may talk, what is said apart from the market, and who gets alerts."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from foreshock_schemas.events import Alert, Delivery, FeedHealth, MarketStats
from foreshock_schemas.testing import sample
from telegram_gateway.domain import coins, markup, messages, texts
from telegram_gateway.domain.access import Access
from telegram_gateway.domain.desk import Desk
from telegram_gateway.domain.held_back import HeldBack
from telegram_gateway.domain.numbers import clock
from telegram_gateway.domain.subscriptions import Subscriptions
from telegram_gateway.domain.views import Views

NOW = 1_790_000_000_000
FLAGS = texts.Flags(
    dynamic_thresholds=True, volume_monitoring=True, predictive_zones=False, alerts_per_day=60
)


def said(blocks):
    return markup.message(blocks)


def alert(
    title="BTC · Liquidation cascade",
    severity="critical",
    lines=("BTC: $9M",),
    coin="BTC",
    kind="cascade",
):
    return sample(
        Alert,
        event_id=f"alert:{title}",
        chat_id=7,
        coin=coin,
        kind=kind,
        severity=severity,
        title=title,
        lines=lines,
        expires_ms=NOW,
    )


@pytest.fixture
def desk():
    views = Views()
    for rank, coin in enumerate(["BTC", "ETH", "SOL", "PEPE"]):
        stats = MarketStats(
            event_id=coin,
            ts_event_ms=NOW,
            ts_recv_ms=NOW,
            coin=coin,
            in_universe=True,
            exchanges=("binance",),
            volume_24h_usd=9e9 - rank,
            volume_days=0,
        )
        views.on_event(stats)
    return Desk(views)


@pytest.mark.parametrize(
    ("word", "coin"),
    [
        ("btc", "BTC"),
        ("$eth", "ETH"),
        ("BTC-USDT", "BTC"),
        ("btcusdt", "BTC"),
        ("BTC-USDT-SWAP", "BTC"),
        ("SOL/USD", "SOL"),
        ("USDT", "USDT"),
    ],
)
def test_a_coin_is_understood_however_it_is_written(word, coin):
    assert coins.canonical(word) == coin


@given(st.text(max_size=200))
def test_any_word_gets_an_answer(word):
    views = Views()
    for command in ("price", "liquidations"):
        assert Desk(views).market(command, [word], NOW).blocks
    assert Desk(views).unknown(word).blocks
    assert Desk(views).refreshed(f"price {word}", NOW).blocks


def test_an_unknown_coin_gets_the_nearest(desk):
    assert "<code>ETH</code>" in said(desk.market("price", ["ETHH"], NOW).blocks)
    far = said(desk.market("price", ["ZZZZZ"], NOW).blocks)
    assert "Followed are: BTC, ETH, SOL, PEPE" in far


@pytest.mark.parametrize("word", ["../..", "b,c", "X" * 5_000])
def test_what_cannot_be_a_coin_gets_what_to_write(desk, word):
    text = said(desk.market("price", [word], NOW).blocks)
    assert "is no coin: a coin is written in capital letters and digits" in text
    assert len(text) < 200


def test_what_is_nearly_a_coin_gets_the_nearest_too(desk):
    assert "Did you mean <code>ETH</code>?" in said(desk.market("price", ["eth;"], NOW).blocks)


def test_what_people_type_is_escaped(desk):
    assert "&lt;b&gt;&amp;" in said(desk.market("price", ["<b>&"], NOW).blocks)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("/prise BTC", "/price"),
        ("/liquidation@foreshock_bot", "/liquidations"),
        ("/zzzzzz", "There is no <b>/zzzzzz</b>. /help"),
        ("/", "commands only"),
        ("hello", "commands only"),
        ("", "commands only"),
    ],
)
def test_an_unknown_command_gets_the_nearest(desk, text, part):
    assert part in said(desk.unknown(text).blocks)


def test_a_command_without_a_coin_asks_for_one(desk):
    answer = desk.market("cvd", [], NOW)
    assert "/cvd BTC" in said(answer.blocks)
    assert answer.refresh is None


def test_answers_can_be_asked_for_anew(desk):
    assert desk.market("liquidations", [], NOW).refresh == "liquidations"
    assert desk.market("price", ["btcusdt"], NOW).refresh == "price BTC"
    assert desk.refreshed("price BTC", NOW) == desk.market("price", ["BTC"], NOW)
    assert "commands only" in said(desk.refreshed("", NOW).blocks)
    assert "There is no <b>/mute</b>" in said(desk.refreshed("mute BTC", NOW).blocks)


def test_help_names_every_command_and_the_coins(desk):
    text = said(desk.help().blocks)
    assert all(f"/{name}" in text for name in texts.COMMANDS if name not in {"help", "start"})
    assert "BTC, ETH, SOL, PEPE" in text
    many = said(texts.help_text([f"C{n}" for n in range(40)]))
    assert "and 28 more" in many
    assert "not known yet" in said(texts.help_text([]))


def test_an_alert_says_what_why_and_when():
    text = said(messages.alert(alert(lines=("BTC: <$9M>", "why")), possible_repeat=False))
    assert text.startswith("🚨 <b>BTC · Liquidation cascade</b>\nBTC: &lt;$9M&gt;\nwhy\n")
    assert "repeat" not in text
    assert "may be a repeat" in said(messages.alert(alert(), possible_repeat=True))


LONG = ("what", "more", "", "<why>", "why 2", "", "held back", "foreshock explain signal:1")


def test_details_are_folded_up_with_a_command_to_copy():
    text = said(messages.alert(alert(lines=LONG), possible_repeat=False))
    assert text.split("\n")[1:-1] == [
        "what",
        "more",
        "held back",
        "<blockquote expandable>&lt;why&gt;",
        "why 2",
        "<code>foreshock explain signal:1</code></blockquote>",
    ]


def test_without_details_the_command_stands_alone():
    text = said(messages.alert(alert(lines=("what", LONG[-1])), possible_repeat=False))
    assert text.split("\n")[1:-1] == ["what", "<code>foreshock explain signal:1</code>"]


def test_an_alert_of_any_length_keeps_its_command():
    long = ("L" * 900, "C" * 900, "", *["W" * 900] * 9, "", "H" * 900, LONG[-1])
    text = said(messages.alert(alert(title="T" * 500, lines=long), possible_repeat=True))
    assert f"{LONG[-1]}</code></blockquote>" in text
    assert len(text) < markup.MOST_UNITS


@pytest.mark.parametrize(
    ("state", "icon"),
    [("BUILDING", "👀"), ("CONFIRMED", "🚨"), ("FADING", "⏳"), ("ENDED", "✅"), (None, "🚨")],
)
def test_a_cascade_shows_how_far_it_has_come(state, icon):
    told = msgspec.structs.replace(alert(), incident_state=state)
    assert said(messages.alert(told, possible_repeat=False)).startswith(f"{icon} <b>BTC")
    assert f"{icon} BTC" in said(messages.digest([told], possible_repeat=False))


def test_ten_alerts_of_any_length_fit_one_message():
    told = [alert(title="T" * 500 + str(n), lines=("L" * 900,)) for n in range(10)]
    text = said(messages.bulletin(told, possible_repeat=True))
    assert text.count("🚨 <b>T") == 10
    assert "10 alerts at once" in text
    assert "may be a repeat" in text
    assert said(messages.bulletin([alert(lines=()), alert()], possible_repeat=False))


def test_the_first_line_of_alerts_at_once_names_their_coins_and_the_worst_severity():
    market = alert(title="MARKET", coin="MARKET", kind="market_wide", severity="warning")
    told = [market, *(alert(coin=coin) for coin in ("BTC", "ETH", "BTC"))]
    text = said(messages.bulletin(told, possible_repeat=False))
    assert text.startswith("🚨 <b>4 alerts at once: MARKET, BTC, ETH</b>\n")


def test_a_few_alerts_at_once_are_told_in_full_and_many_in_a_line_each():
    for count, shown in ((3, True), (4, False)):
        text = said(messages.bulletin([alert(lines=LONG)] * count, possible_repeat=False))
        assert ("more" in text) is shown
        assert text.count("what") == text.count("held back") == count


def test_a_market_wide_alert_among_many_is_told_in_full():
    market = alert(title="MARKET", coin="MARKET", kind="market_wide", lines=("ETH, SOL", "S" * 300))
    text = said(messages.bulletin([market, *[alert(lines=("L" * 900,))] * 9], possible_repeat=True))
    assert f"🚨 <b>MARKET</b>\nETH, SOL\n{'S' * 300}\n" in text
    assert text.count("🚨 <b>BTC") == 9


def test_of_many_alerts_at_once_a_line_does_not_name_the_coin_again():
    told = [alert(coin=coin, title=f"{coin} · Cascade") for coin in ("BTC", "ETH", "SOL", "XRP")]
    text = said(messages.bulletin(told, possible_repeat=False))
    assert "🚨 <b>BTC · Cascade</b>\n$9M\n🚨 <b>ETH · Cascade</b>\nBTC: $9M\n" in text


COMMAND = "foreshock explain cascade:8a32e1c405d6b688c25"
WORDS = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"], exclude_characters="<>&"),
    max_size=300,
)
LINES = st.lists(WORDS, max_size=5).map(tuple)


@given(st.lists(st.builds(alert, WORDS, coin=WORDS, lines=LINES), min_size=2, max_size=10))
def test_alerts_at_once_of_any_words_fit_one_message(told):
    told = [replace(each, lines=(*each.lines, f"{COMMAND}{n}")) for n, each in enumerate(told)]
    text = said(messages.bulletin(told, possible_repeat=True))
    assert len(text.encode("utf-16-le")) <= 2 * markup.MOST_UNITS
    assert text.count("<code>foreshock explain") == len(told)
    assert "may be a repeat" in text


def test_alerts_at_once_name_what_explains_each_of_them():
    told = [alert(title="T" * 500, lines=("L" * 900, f"{COMMAND}{n}")) for n in range(10)]
    text = said(messages.bulletin([*told[:-1], told[0]], possible_repeat=True))
    assert text.count(COMMAND) == 9, "the strongest of a market-wide alert explains it, too"
    assert len(text) < markup.MOST_UNITS


def test_twenty_five_titles_fit_a_digest():
    told = [alert(title="T" * 500 + str(n)) for n in range(25)]
    assert said(messages.digest(told, possible_repeat=False)).count("🚨 T") == 25
    assert "1 alert while" in said(messages.digest([alert()], possible_repeat=True))


def test_the_greeting_is_escaped():
    assert "&lt;i&gt;" in said(texts.greeting("<i>"))
    assert "private" in said(texts.refusal())


def test_the_announcement_and_the_status_name_what_is_on():
    assert "Volume spike detection: ACTIVE" in said(texts.auto_started(FLAGS))
    assert "Liquidation zones: off" in said(texts.auto_started(FLAGS))
    feed = sample(
        FeedHealth,
        exchange="binance",
        channel="trades",
        state="DOWN",
        since_ms=NOW - 60_000,
        ts_recv_ms=NOW - 60_000,
    )
    last = sample(
        Delivery,
        ts_event_ms=NOW - 5_000,
        chat_id=7,
        state="SENT",
    )
    nobody = said(texts.status(None, FLAGS, [], None, {}, [], NOW))
    assert "never started" in nobody
    assert "none yet" in nobody
    (auto,) = Subscriptions().auto_start([7], NOW)
    mine = said(texts.status(auto, FLAGS, [feed], last, {}, ["BTC"], NOW))
    assert "set by themselves 0 s ago" in mine
    assert "🔴 binance trades: DOWN for 1 min" in mine
    assert "Last alert: 5 s ago" in mine
    later = said(texts.status(auto, FLAGS, [feed], last, {}, ["BTC"], NOW + 3 * 60_000))
    assert f"binance trades: unknown, nothing heard since {clock(NOW - 60_000)}" in later
    assert "nothing heard of any" in nobody
    off = Subscriptions().switch(7, active=False, now_ms=NOW)
    assert "<b>off</b>, set by you" in said(texts.status(off, FLAGS, [], None, {}, [], NOW))


def test_the_status_says_what_was_held_back_in_the_last_day():
    held_back = HeldBack()
    for number, (kind, age_h) in enumerate(
        [("volume_spike", 1), ("volume_spike", 2), ("cascade", 23), ("cascade", 24)]
    ):
        at_ms = NOW - age_h * 3_600_000
        missed = sample(Alert, event_id=str(number), chat_id=7, kind=kind, ts_event_ms=at_ms)
        held_back.add(missed)
        held_back.add(missed)
    of_all = {chat: held_back.today(chat, NOW) for chat in (7, 8)}
    told = {
        chat: said(texts.status(None, FLAGS, [], None, of_all[chat], [], NOW)) for chat in (7, 8)
    }
    assert "by the limit of 60 a day: 3 (2 volume spikes, 1 cascade)" in told[7]
    assert "by the limit of 60 a day: none" in told[8]


def test_switching_says_what_is_and_what_brings_it_back():
    assert "off" in said(texts.switched(active=False, changed=True))
    assert "already" in said(texts.switched(active=True, changed=False))
    assert "foo" in said(texts.alerts_usage("foo"))
    assert said(texts.alerts_usage("")).startswith("Say")


def test_only_authorised_users_in_their_own_chat_are_let_in():
    access = Access([7])
    assert access.allowed(7, 7)
    assert not access.allowed(8, 8)
    assert not access.allowed(7, -100)


def test_a_stranger_is_told_once_a_minute():
    access = Access([7])
    assert [access.should_refuse(8, at) for at in (0.0, 59.0, 60.0)] == [True, False, True]
    for user in range(1_001):
        access.should_refuse(100 + user, 61.0)
    assert access.should_refuse(8, 61.5), "forgotten among a thousand others"


def test_monitoring_starts_by_itself_only_for_those_who_had_no_say():
    subscriptions = Subscriptions()
    subscriptions.apply(subscriptions.switch(8, active=False, now_ms=NOW))
    started = subscriptions.auto_start([7, 8], NOW)
    assert [each.chat_id for each in started] == [7]
    subscriptions.apply(started[0])
    assert subscriptions.to_announce([7, 8]) == started
    subscriptions.apply(subscriptions.announced(started[0], NOW + 1))
    assert subscriptions.to_announce([7, 8]) == []
    assert subscriptions.auto_start([7, 8], NOW) == []


def test_what_arose_while_alerts_were_off_is_not_wanted_later():
    subscriptions = Subscriptions()
    assert not subscriptions.wants(alert())
    subscriptions.apply(subscriptions.switch(7, active=False, now_ms=NOW - 9))
    assert not subscriptions.wants(alert())
    subscriptions.apply(subscriptions.switch(7, active=True, now_ms=NOW + 1))
    assert not subscriptions.wants(alert())
    later = msgspec.structs.replace(alert(), ts_recv_ms=NOW + 1)
    assert subscriptions.wants(later)
    subscriptions.apply(subscriptions.switch(7, active=True, now_ms=NOW + 9))
    assert subscriptions.wants(later), "what is said again changes nothing"


def test_a_user_keeps_the_rest_of_the_settings_when_switching():
    subscriptions = Subscriptions()
    subscriptions.apply(subscriptions.auto_start([7], NOW)[0])
    before = subscriptions.of(7)
    after = subscriptions.switch(7, active=False, now_ms=NOW + 1)
    assert (after.coins, after.minimum_severity) == (before.coins, before.minimum_severity)


def test_the_log_s_order_counts_though_the_clock_steps_back():
    (auto,) = Subscriptions().auto_start([7], NOW)
    subscriptions = Subscriptions()
    subscriptions.wrote(auto)
    announced = subscriptions.announced(auto, NOW - 5_000)
    subscriptions.wrote(announced)
    assert not subscriptions.to_announce([7])
    stop = subscriptions.switch(7, active=False, now_ms=NOW - 9_000)
    subscriptions.wrote(stop)
    for row in (auto, announced, stop):
        subscriptions.apply(row)
        assert not subscriptions.active(7), "our own words, read back, undo no later one"
    subscriptions.apply(auto)
    assert subscriptions.active(7), "what somebody else writes then is the log's last word"
    again = Subscriptions()
    for row in (auto, announced, stop):
        again.apply(row)
    assert not again.active(7)


def test_a_word_that_is_read_before_we_hear_that_it_is_written_is_waited_for_no_more():
    subscriptions = Subscriptions()
    stop = subscriptions.switch(7, active=False, now_ms=NOW)
    subscriptions.apply(stop)
    subscriptions.wrote(stop)
    subscriptions.apply(subscriptions.auto_start([8], NOW)[0])
    subscriptions.apply(msgspec.structs.replace(stop, event_id="other", active=True))
    assert subscriptions.active(7)


def test_alerts_come_again_after_a_start_by_a_clock_that_was_ahead():
    subscriptions = Subscriptions()
    subscriptions.apply(subscriptions.switch(7, active=True, now_ms=NOW + 3_600_000))
    assert not subscriptions.wants(alert())
    subscriptions.apply(subscriptions.switch(7, active=True, now_ms=NOW))
    assert subscriptions.wants(alert())
