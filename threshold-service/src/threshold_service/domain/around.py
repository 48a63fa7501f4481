"""A coin's surroundings, as of 30 s before the event in hand."""

from typing import Final

from foreshock_schemas.events import (
    DetectorSettings,
    FeedAt,
    MarketContext,
    SignalKind,
    Threshold,
)
from threshold_service.domain import wording
from threshold_service.domain.limits import Limits
from threshold_service.domain.market import Market
from threshold_service.domain.surroundings import SETTLED_MS, UNSEEN, Move
from threshold_service.domain.world import BUDGETS, World

CONTEXT_S: Final = 900

_FLAT_PCT: Final = 0.05
"""A smaller change of either is no direction."""


class Around:
    """Implements `Surroundings` for one coin, event by event."""

    def __init__(self, coin: str, limits: Limits, market: Market, world: World) -> None:
        self._coin = coin
        self._limits = limits
        self._market = market
        self._world = world
        self._ms = 0
        self._feeds: tuple[FeedAt, ...] = ()
        self._unseen: set[str] = set()
        self.settings: DetectorSettings = world.settings(coin, 0)

    def look(self, recv_ms: int) -> None:
        """Go to 30 s before the receipt of an event: what is asked from now on is of then."""
        self._ms = recv_ms - SETTLED_MS
        self.settings = self._world.settings(self._coin, self._ms)

    @property
    def dynamic(self) -> bool:
        """Whether learned limits may speak."""
        return self.settings.dynamic_thresholds

    @property
    def threshold(self) -> Threshold:
        """The limits of the original requirements; their constants where not `dynamic`."""
        return self._limits.at(self._ms, dynamic=self.settings.dynamic_thresholds)

    def budget(self, kind: SignalKind) -> float:
        """Return how many alerts a day the coin may raise of a kind."""
        return self.settings.budgets.get(kind, BUDGETS[kind])

    def interest_usd(self) -> float | None:
        """Return the open interest of the venues whose liquidations are seen."""
        feeds = self.feeds("liquidations")
        if feeds is not self._feeds:
            self._feeds = feeds
            self._unseen = {each.exchange for each in feeds if each.state in UNSEEN}
        return self._market.interest.usd(self._ms, self._unseen)

    def interest_move(self, over_s: int) -> Move | None:
        """Return the change of open interest in coins."""
        return self._market.interest.move(self._ms, over_s)

    def price_move(self, over_s: int) -> Move | None:
        """Return the change of the price."""
        return self._market.prices.move(self._ms, over_s)

    def traded_usd(self, exchange: str, over_s: int) -> float | None:
        """Return what was traded on a venue, in whole minutes that cover the time."""
        traded = self._market.traded.get(exchange)
        return None if traded is None else traded.over(self._ms, over_s)

    def feeds(self, channel: str) -> tuple[FeedAt, ...]:
        """Return the states of the channel's feeds."""
        return self._world.feeds(channel, self._ms)

    def context(self) -> MarketContext:
        """Return what price, open interest and takers did over the last 15 min."""
        price = _pct(self.price_move(CONTEXT_S))
        interest = _pct(self.interest_move(CONTEXT_S))
        meaning = None
        if price is not None and interest is not None:
            flat = abs(price) < _FLAT_PCT or abs(interest) < _FLAT_PCT
            meaning = None if flat else wording.QUADRANTS[interest > 0, price > 0][0]
        return MarketContext(
            over_s=CONTEXT_S,
            price_pct=price,
            open_interest_pct=interest,
            cvd_usd=self._market.prices.flow(self._ms, CONTEXT_S),
            reading=meaning,
        )


def _pct(move: Move | None) -> float | None:
    return None if move is None else round(move.change * 100, 4)
