"""Answers to people who wait for them."""

import asyncio
from collections import deque
from typing import Final

from foreshock_kit.backoff import Backoff
from foreshock_kit.errors import Permanent, Transient
from foreshock_kit.logs import get_logger
from telegram_gateway.domain import markup
from telegram_gateway.domain.answering import Answer
from telegram_gateway.edge.sender import NotSent, Sender

_TRIES: Final = 3
_BACKOFF: Final = Backoff(first_s=0.5, longest_s=30.0)
_PATIENCE_S: Final = 5.0
_LONGEST_FLOOD_S: Final = 30.0
_LATE_LIMIT: Final = 10

_log = get_logger(__name__)


class Replies:
    """Sends answers with a few tries, and only what is certain not to repeat.

    A chat that Telegram holds back for longer gets its answers late, in their order, from a task
    in `group`: no other chat waits for it.
    """

    def __init__(self, sender: Sender, group: asyncio.TaskGroup) -> None:
        self._sender = sender
        self._group = group
        self._late: dict[int, deque[Answer]] = {}

    async def say(self, chat_id: int, answer: Answer) -> None:
        """Send an answer, or see to it that it is sent as soon as Telegram takes it."""
        if chat_id in self._late:
            self._wait(chat_id, answer)
            return
        try:
            await self._send(chat_id, answer, _PATIENCE_S)
        except NotSent as e:
            if e.retry_after_s is None:
                _log.warning("answer_failed", why=str(e))
                return
            self._late[chat_id] = deque([answer])
            self._group.create_task(self._catch_up(chat_id))

    def _wait(self, chat_id: int, answer: Answer) -> None:
        if len(self._late[chat_id]) < _LATE_LIMIT:
            self._late[chat_id].append(answer)
        else:
            _log.warning("answer_failed", why="too many wait for this chat")

    async def _catch_up(self, chat_id: int) -> None:
        waiting = self._late[chat_id]
        try:
            while waiting:
                await self._send(chat_id, waiting[0], _LONGEST_FLOOD_S)
                waiting.popleft()
        except NotSent as e:
            _log.warning("answers_failed", count=len(waiting), why=str(e))
        finally:
            del self._late[chat_id]

    async def _send(self, chat_id: int, answer: Answer, patience_s: float) -> None:
        """Send, or give up and say so in the log.

        Raises:
            NotSent: Telegram is not reached, or holds the chat back for longer than `patience_s`.
        """
        text = markup.message(answer.blocks)
        for tries in range(1, _TRIES + 1):
            try:
                await self._sender.turn(chat_id, patience_s)
                await self._sender.send(chat_id, text, answer.rows)
            except NotSent as e:
                if tries == _TRIES or (e.retry_after_s or 0) > patience_s:
                    raise
                if e.retry_after_s is None:  # else the next turn comes when it is over
                    await asyncio.sleep(_BACKOFF.delay(tries))
            except (Transient, Permanent) as e:
                _log.warning("answer_failed", why=str(e))
                return
            else:
                return
