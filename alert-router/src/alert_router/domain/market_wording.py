"""What a market-wide alert says, in plain text."""

from typing import Final

from alert_router.domain.episode import Episode
from alert_router.domain.numbers import span, usd

_NAMED: Final = 12


def title(episode: Episode) -> str:
    """Return the alert's first line."""
    way = f", {episode.direction}" if episode.direction else ""
    going = " (growing)" if episode.revision > 1 else ""
    return f"MARKET · {len(episode.usd_of)} coins at once{way}{going}"


def happened(episode: Episode) -> tuple[str, ...]:
    """Return the rest: which coins, how much, and the strongest of it."""
    coins = episode.coins
    more = f" and {len(coins) - _NAMED} more" if len(coins) > _NAMED else ""
    lasted = span(max(1000, episode.last_ms - episode.first_ms))
    said = [f"{', '.join(coins[:_NAMED])}{more}{_liquidated(episode)} within {lasted}"]
    said.append(f"Strongest: {episode.strongest.headline}")
    if episode.joined:
        said.append(f"{episode.joined} more signals since it began")
    return tuple(said)


def _liquidated(episode: Episode) -> str:
    if not episode.usd:
        return ""
    return f": {'at least ' if episode.floor else ''}{usd(episode.usd)} liquidated"
