"""Waits between tries, so that whoever is in trouble is not hammered, nor by all at once."""

import random

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Doubling waits with full jitter, between nothing and a bound.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter
    """

    first_s: float = 0.5
    longest_s: float = 60.0

    def delay(self, failures: int) -> float:
        """Return a wait in seconds after so many failures in a row."""
        bound = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return random.uniform(0, bound)  # noqa: S311
