"""How much a chat is told in a day: as its limit fills up, the least severe is held back."""

from collections import Counter, deque
from typing import Final

from alert_router.domain.news import News
from foreshock_schemas.events import Severity, SignalKind

_DAY_MS: Final = 86_400_000
_SHARE: Final[dict[Severity, float]] = {"info": 0.6, "warning": 1.0}
"""The share of the limit beyond which a severity is held back."""


class _Chat:
    def __init__(self, per_day: int) -> None:
        self.told_ms: deque[int] = deque(maxlen=per_day)  # as many as can matter
        self.held_back: Counter[SignalKind] = Counter()


class Limits:
    """Alerts of the last 24 h by chat, and what was held back since the last of them.

    Time is the signals' own. All that makes a sound counts, even what no limit may hold back.
    """

    def __init__(self, per_day: int) -> None:
        self._per_day = per_day
        self._chats: dict[int, _Chat] = {}

    def holds(self, chat_id: int, news: News) -> bool:
        """Return whether a chat's limit holds news back."""
        if news.unlimited or news.quiet:
            return False
        told_ms = self._chat(chat_id).told_ms
        while told_ms and told_ms[0] <= news.ts_event_ms - _DAY_MS:
            told_ms.popleft()
        return len(told_ms) >= _SHARE[news.severity] * self._per_day

    def held_back(self, chat_id: int) -> Counter[SignalKind]:
        """Return what a chat's next alert has to mention, by kind."""
        return self._chat(chat_id).held_back

    def note(self, chat_id: int, news: News, *, held_back: bool) -> None:
        """Count what was decided: one more told, or held back."""
        chat = self._chat(chat_id)
        if held_back:
            chat.held_back[news.kind] += 1
            return
        chat.held_back = Counter()
        if not news.quiet:
            chat.told_ms.append(news.ts_event_ms)

    def _chat(self, chat_id: int) -> _Chat:
        if chat_id not in self._chats:
            self._chats[chat_id] = _Chat(self._per_day)
        return self._chats[chat_id]
