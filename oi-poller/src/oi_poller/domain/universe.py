"""Which coins are followed: those asked for, or the most traded, without flapping."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_STAYS_UNTIL: Final = 1.25
"""A coin that is in stays until its rank is a quarter beyond the limit."""


def by_request(coins: Sequence[str], listed: Iterable[str]) -> frozenset[str]:
    """Return the coins asked for that some exchange lists."""
    wanted = {coin.upper() for coin in coins}
    return frozenset(wanted.intersection(listed))


def by_volume(
    volumes: Mapping[str, float], top: int, present: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Return about `top` coins by 24 h volume in USD, keeping those present that are near.

    Never more than `top` coins: what is present and near the limit takes its place from
    newcomers beyond `top / 1.25`.
    """
    ranked = sorted(volumes, key=lambda coin: (-volumes[coin], coin))
    near = ranked[: int(top * _STAYS_UNTIL)]
    staying = [coin for coin in near if coin in present]
    joining = [coin for coin in ranked[:top] if coin not in present]
    sure = [coin for coin in ranked[: int(top / _STAYS_UNTIL)] if coin in joining]
    chosen = sure + [coin for coin in staying if coin not in sure][: top - len(sure)]
    chosen += [coin for coin in joining if coin not in sure][: top - len(chosen)]
    return frozenset(chosen)
