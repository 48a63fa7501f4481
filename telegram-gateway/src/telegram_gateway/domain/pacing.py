"""How fast Telegram may be spoken to, per chat and in all.

Its limits are about one message a second and chat with short bursts, 30 a second overall, and
whatever a 429 says (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this);
a 429 stops only the chat that it was given for.
"""

from collections import OrderedDict
from typing import Final

PER_CHAT_S: Final = 1.0
BURST: Final = 3
OVERALL_S: Final = 1 / 25
OVERALL_BURST: Final = 25
_REMEMBERED: Final = 1_000


class Bucket:
    """Gives out turns, `burst` at once and then one every `every_s`."""

    def __init__(self, every_s: float, burst: int) -> None:
        self._every_s = every_s
        self._slack_s = every_s * (burst - 1)
        self._due_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until the next turn."""
        return max(0.0, self._due_s - self._slack_s - now_s)

    def take(self, now_s: float) -> None:
        """Use a turn."""
        self._due_s = max(self._due_s, now_s) + self._every_s

    def freeze(self, until_s: float) -> None:
        """Give no turn before `until_s`."""
        self._due_s = max(self._due_s, until_s + self._slack_s)


class Pacing:
    """The turns of every chat under the turns of all."""

    def __init__(self) -> None:
        self._overall = Bucket(OVERALL_S, OVERALL_BURST)
        self._chats: OrderedDict[int, Bucket] = OrderedDict()

    def take(self, chat_id: int, now_s: float) -> float:
        """Use a turn if there is one and return 0; else return the seconds to wait."""
        chat = self._chat(chat_id)
        wait_s = max(chat.wait_s(now_s), self._overall.wait_s(now_s))
        if wait_s == 0:
            chat.take(now_s)
            self._overall.take(now_s)
        return wait_s

    def freeze(self, chat_id: int, until_s: float) -> None:
        """Leave a chat alone until `until_s`."""
        self._chat(chat_id).freeze(until_s)

    def _chat(self, chat_id: int) -> Bucket:
        bucket = self._chats.setdefault(chat_id, Bucket(PER_CHAT_S, BURST))
        self._chats.move_to_end(chat_id)
        if len(self._chats) > _REMEMBERED:
            self._chats.popitem(last=False)
        return bucket
