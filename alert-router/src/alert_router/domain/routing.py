"""From signals to the alerts of each chat."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from alert_router.domain import market_wording, wording
from alert_router.domain.cascades import Cascades
from alert_router.domain.episode import Episode
from alert_router.domain.incidents import Incidents
from alert_router.domain.limits import Limits
from alert_router.domain.market_wide import MarketWide
from alert_router.domain.news import OVER, News, Revision
from alert_router.domain.past import Past
from alert_router.domain.recent import Recent
from alert_router.domain.subscribers import Subscribers
from foreshock_schemas.events import Alert, Signal, Subscription
from foreshock_schemas.ids import derived_id
from foreshock_schemas.topics import MARKET

NEWS_FOR_MS: Final = 10 * 60_000
"""How long an alert is news; the gateway gathers older ones into a digest."""

_REMEMBERED: Final = 10_000

Untold = Literal["repeat", "unwanted", "cooldown", "market_wide"]


class Routed(msgspec.Struct):
    """What a signal leads to: news, alerts to write, and if it is not told itself, why."""

    news: list[News] = []
    alerts: list[Alert] = []
    untold: Untold | None = None


class Router:
    """Joins who wants what with what is news: the same signals give the same alerts.

    A signal of the past, read again, restores the state and gives no alert. Whom it was told is
    what the alerts written then say.
    """

    def __init__(self, cooldown_ms: int, per_day: int) -> None:
        self._cooldown_ms = cooldown_ms
        self._per_day = per_day
        self._subscribers = Subscribers()
        self._past = Past()
        self._seen: Recent[str, None] = Recent(_REMEMBERED)
        self._told: Recent[str, set[int]] = Recent(_REMEMBERED)
        self._market = MarketWide(self._past.was_told)
        self._cascades = Cascades()
        self._incidents = Incidents(cooldown_ms)
        self._limits = Limits(per_day)

    def on_subscription(self, subscription: Subscription) -> None:
        """Take a chat's settings as they stand now."""
        self._subscribers.apply(subscription)

    def on_past_alert(self, alert: Alert) -> None:
        """Take an alert that was written before."""
        self._past.add(alert)

    def on_past_signal(self, signal: Signal) -> None:
        """Take a signal that was dealt with before we started."""
        self._route(signal, past=True)

    def on_signal(self, signal: Signal) -> Routed:
        """Return what a signal leads to, without the alerts that are written already."""
        return self._route(signal, past=False)

    def on_time(self, now_ms: int) -> Routed:
        """Return what is due at a time: for when no signal comes to tell the time."""
        routed = Routed()
        self._tell_due(now_ms, routed, past=False)
        return routed

    def _route(self, signal: Signal, *, past: bool) -> Routed:
        routed = Routed()
        if signal.event_id in self._seen:
            routed.untold = "repeat"
            return routed
        self._seen[signal.event_id] = None
        self._tell_due(signal.ts_event_ms, routed, past=past)
        absorbed = self._tell_market(signal, routed, past=past)
        wanting = self._wanting(signal)
        chats = [chat for chat in wanting if chat not in absorbed]
        before = self._past.of_signal(signal.event_id)
        if signal.incident_id is not None and signal.incident_state is not None:
            revision = self._cascades.judge(signal.incident_id, signal.incident_state)
            news = self._news(signal, revision, 0) if revision else None
        elif chats or before:  # what nobody hears starts no cooldown
            news = self._judge(signal, before, past=past)
        else:
            news = None
        if news is not None:
            foretold = self._foretold(signal)
            self._tell(news, [c for c in chats if c not in foretold], routed, past=past)
        elif chats:
            routed.untold = "cooldown" if signal.incident_state is None else "repeat"
        if not chats:
            routed.untold = "market_wide" if wanting else "unwanted"
        return routed

    def _tell_due(self, now_ms: int, routed: Routed, *, past: bool) -> None:
        for episode in self._market.due(now_ms):
            self._tell_episode(episode, routed, past=past)

    def _tell_market(self, signal: Signal, routed: Routed, *, past: bool) -> set[int]:
        """Tell the market-wide incident, if that is news; return the chats that were told of it."""
        joined = self._market.take(signal)
        if joined is None:
            return set()
        if joined.news:
            self._tell_episode(joined.episode, routed, past=past)
        if _is_always_told(signal):
            return set()
        return self._told.get(joined.episode.incident_id, set())

    def _foretold(self, signal: Signal) -> Mapping[int, bool]:
        """Return the chats that a market-wide alert told of this signal before a restart."""
        incident_id = self._market.foretold(signal)
        if incident_id is None or _is_always_told(signal):
            return {}
        return self._past.chats(Revision(incident_id, 1))

    def _tell_episode(self, episode: Episode, routed: Routed, *, past: bool) -> None:
        news = _market_news(episode)
        chats = self._subscribers.wanting(MARKET, "market_wide", news.severity)
        self._tell(news, chats, routed, past=past)

    def _wanting(self, signal: Signal) -> list[int]:
        """Return the chats to tell; an end goes to those that were told of the beginning."""
        if signal.incident_id is None or signal.incident_state not in OVER:
            return self._subscribers.wanting(signal.coin, signal.kind, signal.severity)
        told = self._told.get(signal.incident_id, set())
        whatever_severity = self._subscribers.wanting(signal.coin, signal.kind, "critical")
        return [chat for chat in whatever_severity if chat in told]

    def _judge(self, signal: Signal, before: Revision | None, *, past: bool) -> News | None:
        known = past or before is not None
        told = self._incidents.recall(signal, before) if known else self._incidents.judge(signal)
        return self._news(signal, told.revision, told.held_back) if told else None

    def _news(self, signal: Signal, revision: Revision, held_back: int) -> News:
        return News(
            revision=revision,
            coin=signal.coin,
            kind=signal.kind,
            severity=signal.severity,
            state=signal.incident_state,
            title=wording.title(signal, revision.number),
            happened=wording.happened(signal),
            details=wording.details(signal),
            cooled=wording.cooled(held_back, self._cooldown_ms),
            explained=None if signal.kind == "feed" else signal.event_id,
            signal_ids=(signal.event_id,),
            ts_event_ms=signal.ts_event_ms,
            ts_recv_ms=signal.ts_recv_ms,
        )

    def _tell(self, news: News, wanting: Iterable[int], routed: Routed, *, past: bool) -> None:
        """Decide for each chat, or repeat what was decided when its alert was written."""
        routed.news.append(news)
        before = self._past.chats(news.revision)
        for chat in sorted(before if past else {*wanting, *before}):
            held_back = before[chat] if chat in before else self._limits.holds(chat, news)
            if chat not in before:
                routed.alerts.append(self._alert(news, chat, held_back=held_back))
            self._limits.note(chat, news, held_back=held_back)
            if not held_back:
                self._told.setdefault(news.revision.incident_id, set()).add(chat)

    def _alert(self, news: News, chat_id: int, *, held_back: bool) -> Alert:
        last = [*news.cooled]
        if not held_back and (limited := self._limits.held_back(chat_id)):
            last.append(wording.limited(limited, self._per_day))
        if news.explained is not None:
            last.append(wording.explain(news.explained))
        incident_id, number = news.revision.incident_id, news.revision.number
        return Alert(
            event_id=derived_id("alert", incident_id, number, chat_id),
            ts_event_ms=news.ts_event_ms,
            ts_recv_ms=news.ts_recv_ms,
            incident_id=incident_id,
            revision=number,
            chat_id=chat_id,
            coin=news.coin,
            kind=news.kind,
            severity=news.severity,
            title=news.title,
            lines=wording.laid_out(news.happened, news.details, last),
            signal_ids=news.signal_ids,
            expires_ms=news.ts_recv_ms + NEWS_FOR_MS,
            incident_state=news.state,
            held_back=held_back,
        )


def _is_always_told(signal: Signal) -> bool:
    return signal.severity == "critical" or signal.incident_state == "CONFIRMED"


def _market_news(episode: Episode) -> News:
    return News(
        revision=Revision(episode.incident_id, episode.revision),
        coin=MARKET,
        kind="market_wide",
        severity=episode.severity,
        state=None,
        title=market_wording.title(episode),
        happened=market_wording.happened(episode),
        details=(),
        cooled=(),
        explained=episode.strongest.event_id,
        signal_ids=tuple(episode.signal_ids),
        ts_event_ms=episode.newest.ts_event_ms,
        ts_recv_ms=episode.newest.ts_recv_ms,
    )
