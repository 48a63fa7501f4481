"""What a feed is to those who hold its socket open: where it is, what to say, what is heard."""

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol


class Answer(Protocol):
    """What the venue wants to hear at once, as an answer to its frame."""

    @property
    def words(self) -> str:
        """The message."""
        ...


Heard = Literal["market", "refusal", "closing", "other"] | Answer
"""What a frame was: the market's; a refused subscription; the venue about to close; neither; or
a question with its answer."""

State = Literal["up", "whole", "closing", "down"]

OnFrame = Callable[[bytes, int], Awaitable[Heard]]
OnState = Callable[[State, str, int], Awaitable[None]]


class FeedLike(Protocol):
    """What is needed to hold a feed open; an exchange's `Feed` happens to have it."""

    @property
    def url(self) -> str:
        """Where to connect."""
        ...

    @property
    def hello(self) -> tuple[str, ...]:
        """What to say first."""
        ...

    @property
    def retry(self) -> tuple[str, ...]:
        """What to say, once, after the venue has refused something; it may be empty."""
        ...

    @property
    def pace_s(self) -> float:
        """How long to wait between two messages."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the opening request carries beside the usual."""
        ...

    @property
    def silence_s(self) -> float:
        """After so long without a market frame the socket counts as dead."""
        ...

    @property
    def ping(self) -> str | None:
        """What to say to keep the connection, where the venue wants words."""
        ...

    @property
    def ping_every_s(self) -> float:
        """How often to say it."""
        ...

    @property
    def lifetime_s(self) -> float | None:
        """After so long a fresh connection should take over, before the venue cuts this one."""
        ...
