"""Each chat chooses which kinds of alerts it gets, by words that people use."""

import asyncio
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock_kit.testing import FakeClock, MemoryPublisher
from foreshock_schemas.events import Alert, SignalKind
from foreshock_schemas.testing import sample
from foreshock_schemas.topics import SUBSCRIPTIONS
from telegram_gateway.domain import kinds, markup, texts
from telegram_gateway.domain.held_back import HeldBack
from telegram_gateway.domain.kinds import UnknownKind, muted_after
from telegram_gateway.domain.ledger import Ledger
from telegram_gateway.domain.subscriptions import Subscriptions
from telegram_gateway.domain.views import Views
from telegram_gateway.edge.monitoring import Known, Monitoring

ALL = get_args(SignalKind)
FLAGS = texts.Flags(
    dynamic_thresholds=True, volume_monitoring=True, predictive_zones=False, alerts_per_day=60
)


def heard(muted):
    return set(ALL) - set(muted)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("cascades", {"cascade"}),
        ("Cascade, VOLUME", {"cascade", "volume_spike"}),
        ("oi,liquidations", {"oi_explosion", "liquidation"}),
        ("open interest", {"oi_explosion"}),
        ("market-wide feed", {"market_wide", "feed"}),
        ("volume spikes zone", {"volume_spike", "zone_warning"}),
        ("oi_explosion", {"oi_explosion"}),
    ],
)
def test_kinds_are_understood_as_people_name_them(words, named):
    assert heard(muted_after("only", words.split(), ())) == named
    assert set(muted_after("mute", words.split(), ())) == named
    assert heard(muted_after("unmute", words.split(), ALL)) == named


def test_each_word_does_what_it_says():
    muted = muted_after("mute", ["volume"], ("feed",))
    assert set(muted) == {"volume_spike", "feed"}
    assert muted_after("kinds", [], muted) == muted
    assert muted_after("unmute", ["volume", "oi"], muted) == ("feed",)
    assert muted_after("all", [], muted) == ()


@pytest.mark.parametrize("word", ["only", "mute", "unmute"])
@pytest.mark.parametrize(("said", "unknown"), [([], ""), (["cascades", "volum"], "volum")])
def test_what_names_no_kind_is_refused(word, said, unknown):
    with pytest.raises(UnknownKind, match=f"^{unknown}$"):
        muted_after(word, said, ())


@given(st.text(max_size=60))
def test_any_word_gets_an_answer(word):
    assert "&lt;" in markup.message(kinds.unknown(f"<{word}").blocks)
    assert "<code>volume</code>" in markup.message(kinds.unknown("Volum").blocks)


class Chat:
    """One user's talk about alerts, and what is written of it."""

    def __init__(self, known=None):
        self.known = known or Known(Views(), Subscriptions(), Ledger(), HeldBack())
        self.publisher, self.clock = MemoryPublisher(), FakeClock()
        self.monitoring = Monitoring(self.known, FLAGS, [7], self.publisher, self.clock)

    async def say(self, words):
        self.clock.advance(1.0)
        return markup.message((await self.monitoring.answer(7, words.split())).blocks)

    @property
    def written(self):
        return self.publisher.on(SUBSCRIPTIONS)

    def wants(self, kind):
        now_ms = self.clock.now_ms()
        return self.monitoring.wanted(sample(Alert, chat_id=7, kind=kind, ts_recv_ms=now_ms))


async def test_a_choice_is_kept_and_held_against_every_alert():
    chat = Chat()
    await chat.monitoring.auto_start()
    before = chat.written[-1]
    assert "Kinds: cascades (muted: " in await chat.say("only cascades")
    assert {kind for kind in ALL if chat.wants(kind)} == {"cascade"}
    after = chat.written[-1]
    assert after.event_id != before.event_id
    assert heard(after.muted_kinds) == {"cascade"}
    assert (after.active, after.ts_event_ms) == (True, before.ts_event_ms)
    assert "Kinds: cascades (muted: " in await chat.say("status")
    assert "Kinds: all" in await chat.say("ALL")
    assert all(chat.wants(kind) for kind in ALL)


async def test_what_is_not_understood_changes_nothing():
    chat = Chat()
    await chat.monitoring.auto_start()
    assert "no kind <code>cats</code>" in await chat.say("mute cats")
    assert "Which kinds?" in await chat.say("only")
    assert "Kinds: all" in await chat.say("kinds")
    assert len(chat.written) == 1


async def test_a_choice_does_not_start_what_was_stopped_and_a_start_keeps_the_choice():
    chat = Chat()
    await chat.say("stop")
    assert "Alerts are off all the same" in await chat.say("mute feeds")
    assert not any(chat.wants(kind) for kind in ALL)
    await chat.monitoring.auto_start()
    assert not chat.written[-1].active
    await chat.say("start")
    assert [kind for kind in ALL if not chat.wants(kind)] == ["feed"]


async def test_who_has_only_chosen_kinds_is_started_like_anybody():
    chat = Chat()
    await chat.say("only market")
    assert "never started" in await chat.say("status")
    await chat.monitoring.auto_start()
    assert (chat.written[-1].active, chat.written[-1].announced) == (True, False)
    assert [kind for kind in ALL if chat.wants(kind)] == ["market_wide"]


async def test_settings_from_before_there_were_choices_want_every_kind():
    chat = Chat()
    (auto,) = chat.known.subscriptions.auto_start([7], 1_000)
    old = {k: v for k, v in msgspec.to_builtins(auto).items() if k != "muted_kinds"}
    chat.known.subscriptions.apply(msgspec.convert(old, type(auto)))
    assert all(chat.wants(kind) for kind in ALL)


async def test_a_button_says_which_way_it_switches_a_kind_and_its_answer_the_other_way():
    chat = Chat()
    await chat.monitoring.auto_start()
    answer = await chat.monitoring.answer(7, ["kinds"])
    for kind in ALL:
        before = dict(button for row in answer.rows for button in row)
        (mute,) = [data for text, data in before.items() if muted_by(data) == kind]
        answer = await chat.monitoring.answer(7, mute.split()[1:])
        assert not chat.wants(kind)
        after = [data for row in answer.rows for _, data in row]
        assert mute.replace("mute", "unmute") in after
        again = await chat.monitoring.answer(7, mute.split()[1:])
        assert again == answer, "an old button does no harm"
    assert not any(chat.wants(kind) for kind in ALL)
    await chat.monitoring.answer(7, answer.rows[-1][-1][1].split()[1:])
    assert all(chat.wants(kind) for kind in ALL)


def muted_by(data):
    command, word, *said = data.split()
    assert command == "alerts"
    return muted_after(word, said, ())[0] if word == "mute" else None


class Slow(MemoryPublisher):
    """Takes a record when it is let."""

    def __init__(self):
        super().__init__()
        self.let = asyncio.Event()

    async def send(self, topic, event):
        await self.let.wait()
        await super().send(topic, event)


class Telegram:
    """Takes every message."""

    async def turn(self, _):
        return

    async def send(self, *_):
        return 1


@pytest.mark.parametrize("word", ["stop", "only cascades"])
async def test_what_is_said_while_the_announcement_is_written_is_not_undone(word):
    chat = Chat()
    await chat.monitoring.auto_start()
    slow = Slow()
    monitoring = Monitoring(chat.known, FLAGS, [7], slow, chat.clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(monitoring.answer(7, word.split()))
        await asyncio.sleep(0)
        group.create_task(monitoring.announce(Telegram()))
        for _ in range(9):
            await asyncio.sleep(0)
        slow.let.set()
    last = slow.on(SUBSCRIPTIONS)[-1]
    assert last == chat.known.subscriptions.of(7)
    assert last.announced
    assert (not last.active) if word == "stop" else len(last.muted_kinds) == len(ALL) - 1
