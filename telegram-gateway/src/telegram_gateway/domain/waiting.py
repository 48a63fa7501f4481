"""One chat's alerts that wait to be sent, and which of them go next, as one message."""

from collections.abc import Sequence
from typing import Final

import msgspec

from foreshock_schemas.events import Alert
from telegram_gateway.domain.pacing import Bucket
from telegram_gateway.domain.severity import RANK

CAPACITY: Final = 500
NEWS_A_MESSAGE: Final = 10
TITLES_A_MESSAGE: Final = 25
"""No more in one message, so that it holds what it names: Telegram takes 4096 characters."""
GATHER_S: Final = 2.0
"""How long an alert waits for company at most; with the second that Telegram's pace takes it is
sent within 3 s."""
GATHER_AFTER: Final = 3
"""So many are told at once before that."""

_QUIET: Final = {"FADING", "ENDED"}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that go out as one message. `history`: they are news no more; `quiet`: no sound."""

    alerts: tuple[Alert, ...]
    possible_repeat: bool
    history: bool
    quiet: bool


class _Held(msgspec.Struct):
    """The newest revision of an incident. Quiet if it ends what was told: not what it replaces."""

    alert: Alert
    possible_repeat: bool
    quiet: bool


class Waiting:
    """Collects what comes in while a chat is not to be written to.

    News goes first, the market-wide alert on top, then the most severe; then what is history by
    now. A market-wide cascade raises dozens of alerts within seconds: the first are told at once,
    the others together.
    """

    def __init__(self) -> None:
        self._by_incident: dict[str, _Held] = {}
        self._turns = Bucket(GATHER_S, GATHER_AFTER)

    def __len__(self) -> int:
        return len(self._by_incident)

    def put(self, alert: Alert, *, possible_repeat: bool) -> Alert | None:
        """Let an alert wait instead of older revisions; return the oldest if it had to give way."""
        held = self._by_incident.get(alert.incident_id)
        if held is None or held.alert.revision < alert.revision:
            quiet = alert.incident_state in _QUIET and (held is None or held.quiet)
            self._by_incident[alert.incident_id] = _Held(alert, possible_repeat, quiet)
        elif possible_repeat:
            self._doubt(alert)
        if len(self._by_incident) <= CAPACITY:
            return None
        oldest = next(iter(self._by_incident.values())).alert
        self.remove(oldest)
        return oldest

    def wait_s(self, now_s: float) -> float:
        """Return how long what waits has to wait for company.

        A full message does not, and a market-wide alert takes along what waits.
        """
        at_once = len(self) >= NEWS_A_MESSAGE or any(
            _is_market_wide(held.alert) for held in self._by_incident.values()
        )
        return 0.0 if at_once else self._turns.wait_s(now_s)

    def done(self, letter: Letter, now_s: float) -> None:
        """Let a letter's alerts wait no longer.

        What follows a market-wide alert is told together; what a full message left is not
        kept waiting for it.
        """
        for alert in letter.alerts:
            self.remove(alert)
        if any(map(_is_market_wide, letter.alerts)):
            self._turns.freeze(now_s + GATHER_S)
        elif len(letter.alerts) < NEWS_A_MESSAGE:
            self._turns.take(now_s)

    def remove(self, alert: Alert) -> None:
        """Let an alert wait no longer."""
        held = self._by_incident.get(alert.incident_id)
        if held is not None and held.alert == alert:
            del self._by_incident[alert.incident_id]

    def mark(self, letter: Letter) -> None:
        """Note that a letter may have arrived, though nobody said so."""
        for alert in letter.alerts:
            self._doubt(alert)

    def next(self, now_ms: int) -> Letter | None:
        """Return what goes next; it waits on until it is removed."""
        every = list(self._by_incident.values())
        news = [held for held in every if now_ms <= held.alert.expires_ms]
        if news:
            return _letter(sorted(news, key=_urgency)[:NEWS_A_MESSAGE], history=False)
        return _letter(every[:TITLES_A_MESSAGE], history=True) if every else None

    def _doubt(self, alert: Alert) -> None:
        held = self._by_incident.get(alert.incident_id)
        if held is not None and held.alert == alert:
            held.possible_repeat = True


def _urgency(held: _Held) -> tuple[bool, int, int]:
    alert = held.alert
    return not _is_market_wide(alert), RANK[alert.severity], alert.ts_event_ms


def _is_market_wide(alert: Alert) -> bool:
    return alert.kind == "market_wide"


def _letter(held: Sequence[_Held], *, history: bool) -> Letter:
    return Letter(
        alerts=tuple(each.alert for each in held),
        possible_repeat=any(each.possible_repeat for each in held),
        history=history,
        quiet=all(each.quiet for each in held),
    )
