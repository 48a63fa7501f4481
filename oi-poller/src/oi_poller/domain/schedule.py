"""When to ask again: on the minute by everybody's clock, and not twice for the same."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def until_next(now_ms: int, every_s: int) -> float:
    """Return the seconds until the next multiple of `every_s` since 1970."""
    every_ms = every_s * 1000
    return (every_ms - now_ms % every_ms) / 1000


class Recent(Generic[K, V]):
    """Answers younger than `ttl_ms`, so that nobody is asked for them again."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl_ms = ttl_ms
        self._kept: dict[K, tuple[int, V]] = {}

    def get(self, key: K, now_ms: int) -> V | None:
        """Return the answer kept under `key`, if it is young enough."""
        kept = self._kept.get(key)
        return kept[1] if kept and now_ms - kept[0] < self._ttl_ms else None

    def put(self, key: K, value: V, now_ms: int) -> None:
        """Keep an answer, and let go of those that are too old."""
        self._kept = {k: v for k, v in self._kept.items() if now_ms - v[0] < self._ttl_ms}
        self._kept[key] = (now_ms, value)
