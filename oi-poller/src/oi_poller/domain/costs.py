"""How many coins a venue's REST limit carries, polled each minute."""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final

from foreshock_exchanges.rest import Request, Rest
from oi_poller.domain.history import HOURS

SHARE: Final = 2 / 9
"""Of a venue's limit: two thirds of our own ceiling, which is a third of the limit."""

MOST: Final = 400
"""Coins that may be followed, whatever limits carry."""

_MINUTE_S: Final = 60.0
_SPARE: Final = 0.1
"""Of our share, for histories to be caught up with at all."""


def most_coins(rest: Rest, polls_a_minute: int) -> int:
    """Return how many coins our share of the limit carries, 400 at most.

    Beside the polls there are the hourly contracts, and at least one history.
    """
    share = rest.budget.weight * SHARE * _MINUTE_S / rest.budget.window_s * (1 - _SPARE)
    for coins in range(MOST, 0, -1):
        symbols = [f"C{number}" for number in range(coins)]
        if poll_weight(rest, symbols) * polls_a_minute + _beside(rest) <= share:
            return coins
    return 0


def poll_weight(rest: Rest, symbols: Sequence[str]) -> int:
    """Return what a poll costs: tickers, premiums and open interest of these contracts.

    What is the same request is asked for once.
    """
    return _weight({rest.tickers(), *rest.premiums(symbols), *rest.open_interest(symbols)})


def _beside(rest: Rest) -> int:
    asked = [rest.instruments(), rest.funding_intervals()]
    asked += [rest.klines("C0", "1h", HOURS + 1, 0)] * ceil((HOURS + 1) / rest.candles_a_page)
    return _weight(each for each in asked if each is not None)


def _weight(requests: Iterable[Request]) -> int:
    return sum(request.weight for request in requests)
