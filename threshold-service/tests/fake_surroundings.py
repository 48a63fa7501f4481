"""Surroundings that a test tells, for a detector that is tried alone."""

from foreshock_schemas.events import FeedAt, Threshold
from foreshock_schemas.testing import sample


class FakeSurroundings:
    """What detectors ask of `Surroundings`: nothing is known, and nothing moves, but what is told.

    `budgets` are those that may be asked for, `traded_usd` what each venue trades a minute,
    `states` those of every channel's feeds by venue, and `limits` the fields of the threshold.
    """

    def __init__(
        self,
        budgets,
        *,
        dynamic=True,
        interest_usd=None,
        interest=None,
        price=None,
        traded_usd=None,
        states=(),
        **limits,
    ):
        self.budgets, self.dynamic = budgets, dynamic
        self.interest, self.price = interest, price
        self.threshold = sample(Threshold, **limits)
        self._interest_usd, self._traded_usd = interest_usd, traded_usd or {}
        self._states = dict(states)

    def budget(self, kind):
        return self.budgets[kind]

    def interest_usd(self):
        return self._interest_usd

    def interest_move(self, over_s):
        return self.interest

    def price_move(self, over_s):
        return self.price

    def traded_usd(self, exchange, over_s):
        a_minute = self._traded_usd.get(exchange)
        return None if a_minute is None else a_minute * over_s / 60

    def feeds(self, channel):
        return tuple(
            FeedAt(exchange=exchange, channel=channel, state=state)
            for exchange, state in self._states.items()
        )
