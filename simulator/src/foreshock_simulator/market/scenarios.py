"""Every scenario by name: what happens to the market, and what is wrong with its feeds."""

from typing import Final, Literal

import msgspec

from foreshock_simulator.market import shocks
from foreshock_simulator.market.conditions import WATCHED_FASTER, Conditions
from foreshock_simulator.market.shock import Pace
from foreshock_simulator.market.shocks import Shocks, falls

Outages = Literal["never", "in shocks", "now and then"]
Polls = Literal["good", "five minutes", "multiplied", "frozen", "halved"]

OUT_MIN: Final = (10.0, 60.0)
"""How long a venue is out, in minutes."""

_HOUR_S: Final = 3600.0
_LIVE_FIRST_S: Final = 20.0


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A market and its feeds.

    Shocks come every `between_h` hours, the first after `first_h`. Every venue shows one
    liquidation in `throttled_ms` of each contract, if that is not 0, while shocks last or
    always (`throttled_always`). One venue is out at `outages`; `polls` is what is wrong with the
    open interest; `shuffled` liquidations come at any time of their day. `live` says whether
    venues can be served with it.
    """

    shocks: Shocks = shocks.none
    conditions: Conditions = Conditions()
    first_h: float = 2.0
    between_h: tuple[float, float] = (2.0, 5.0)
    throttled_ms: int = 0
    throttled_always: bool = False
    outages: Outages = "never"
    polls: Polls = "good"
    shuffled: bool = False
    starts_on_friday: bool = False
    live: bool = True

    def pace(self, span_s: float | None) -> Pace:
        """Return when its shocks come; minutes apart in a market without an end."""
        if span_s is None:
            low, high = (hours * _HOUR_S / WATCHED_FASTER for hours in self.between_h)
            return Pace(first_s=_LIVE_FIRST_S, between_s=(low, high))
        low, high = (hours * _HOUR_S for hours in self.between_h)
        return Pace(first_s=self.first_h * _HOUR_S, between_s=(low, high), span_s=span_s)

    def weather(self, span_s: float | None) -> Conditions:
        """Return its conditions; in a market without an end, as they are watched."""
        return self.conditions if span_s is not None else self.conditions.watched()


_DEMO: Final = Conditions(impact=1.0, pull_s=180 * _HOUR_S)
_CALM: Final = Conditions(jumps_per_day=0.0)
_SHAKEN: Final = Conditions(pull_s=8 * _HOUR_S)
_FRAGILE: Final = Conditions(pull_s=8 * _HOUR_S, impact=1.2, depth=1 / 3)
_JUMP: Final = falls(0.05, 60.0)

SCENARIOS: Final[dict[str, Scenario]] = {
    "demo": Scenario(shocks=shocks.demo, conditions=_DEMO),
    "calm": Scenario(conditions=_CALM),
    "trend": Scenario(conditions=Conditions(drift=0.04, pull_s=1e12)),
    "jump": Scenario(shocks=_JUMP, conditions=_SHAKEN),
    "squeeze": Scenario(shocks=falls(-0.05, 60.0), conditions=_SHAKEN),
    "cascade": Scenario(shocks=falls(0.015, 60.0), conditions=_FRAGILE),
    "crash": Scenario(
        shocks=falls(0.2, 1200.0),
        conditions=_SHAKEN,
        between_h=(4.0, 8.0),
        throttled_ms=1000,
        outages="in shocks",
    ),
    "regime-shift": Scenario(shocks=shocks.regime, live=False),
    "weekend": Scenario(starts_on_friday=True, live=False),
    "throttled-feed": Scenario(
        shocks=_JUMP, conditions=_SHAKEN, throttled_ms=5000, throttled_always=True
    ),
    "venue-outage": Scenario(conditions=_CALM, outages="now and then"),
    "five-minute-oi": Scenario(shocks=_JUMP, conditions=_SHAKEN, polls="five minutes", live=False),
    "multiplier-glitch": Scenario(conditions=_CALM, polls="multiplied", live=False),
    "stale-poll": Scenario(conditions=_CALM, polls="frozen", live=False),
    "definition-change": Scenario(conditions=_CALM, polls="halved", live=False),
    "placebo": Scenario(shocks=falls(0.015, 60.0), conditions=_FRAGILE, shuffled=True, live=False),
    "spikes": Scenario(shocks=shocks.spikes, conditions=_CALM, between_h=(5.0, 11.0)),
    "oi-moves": Scenario(shocks=shocks.interest, conditions=_CALM, between_h=(8.0, 16.0)),
}
