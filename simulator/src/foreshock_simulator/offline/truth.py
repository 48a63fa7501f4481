"""What really happened: cascades that fed on themselves, and what was planted."""

from collections.abc import Iterable
from typing import Final

import msgspec

from foreshock_schemas.events import Position
from foreshock_simulator.market.shock import Shock

_GAP_MS: Final = 60_000
_LONGEST_SPIKE_S: Final = 3600.0


class Cascade(msgspec.Struct, frozen=True, kw_only=True):
    """Forced closings of one side that earlier ones brought about, none over 60 s after another.

    `usd` is theirs and `bp_of_open_interest` that against the open interest at the onset.
    `induced_share` is `usd` against all that was closed of that side from onset to end.
    """

    coin: str
    side: Position
    onset_ms: int
    end_ms: int
    usd: float
    bp_of_open_interest: float
    induced_share: float


class Spike(msgspec.Struct, frozen=True, kw_only=True):
    """A planted wave of trading: `times` the usual volume."""

    coin: str
    at_ms: int
    lasts_s: float
    times: float


class InterestMove(msgspec.Struct, frozen=True, kw_only=True):
    """A planted wave of new positions on every venue: `pct` of the open interest, in percent."""

    coin: str
    at_ms: int
    lasts_s: float
    pct: float


class Truth(msgspec.Struct):
    """Everything that happened in a run, cascades of any size, each list in order of time."""

    cascades: list[Cascade] = msgspec.field(default_factory=list)
    spikes: list[Spike] = msgspec.field(default_factory=list)
    moves: list[InterestMove] = msgspec.field(default_factory=list)

    def plant(self, coin: str, symbol: str, shocks: Iterable[Shock], start_ms: int) -> None:
        """Note what shocks mean for one coin; one of days is a regime, and no spike."""
        for shock in shocks:
            if shock.symbols and symbol not in shock.symbols:
                continue
            at_ms, lasts_s = start_ms + round(shock.start_s * 1000), shock.lasts_s
            if shock.interest:
                pct = 100 * shock.interest
                self.moves.append(InterestMove(coin=coin, at_ms=at_ms, lasts_s=lasts_s, pct=pct))
            elif shock.volume_times > 1 and lasts_s <= _LONGEST_SPIKE_S:
                times = shock.volume_times
                self.spikes.append(Spike(coin=coin, at_ms=at_ms, lasts_s=lasts_s, times=times))


class _Going:
    """A cascade that may go on. `since` is what was closed of its side after its last closing."""

    def __init__(self, at_ms: int, interest_usd: float) -> None:
        self.onset_ms = self.end_ms = at_ms
        self.interest_usd = interest_usd
        self.usd = self.all_usd = self.since_usd = 0.0


class Finder:
    """Finds one coin's cascades in its forced closings, which are told in order of time."""

    def __init__(self, coin: str) -> None:
        self._coin = coin
        self._going: dict[Position, _Going] = {}

    def closed(
        self, at_ms: int, side: Position, usd: float, interest_usd: float, *, induced: bool
    ) -> Cascade | None:
        """Take one closing; return the cascade that it shows to be over."""
        going = self._going.get(side)
        if not induced:
            if going is not None:
                going.since_usd += usd
            return None
        over = None
        if going is None or at_ms - going.end_ms > _GAP_MS:
            over = self._told(side)
            going = self._going[side] = _Going(at_ms, interest_usd)
        going.end_ms = at_ms
        going.usd += usd
        going.all_usd += going.since_usd + usd
        going.since_usd = 0.0
        return over

    def rest(self) -> list[Cascade]:
        """Return what is still going on."""
        sides: tuple[Position, ...] = ("long", "short")
        return [cascade for side in sides if (cascade := self._told(side)) is not None]

    def _told(self, side: Position) -> Cascade | None:
        going = self._going.pop(side, None)
        if going is None:
            return None
        return Cascade(
            coin=self._coin,
            side=side,
            onset_ms=going.onset_ms,
            end_ms=going.end_ms,
            usd=going.usd,
            bp_of_open_interest=going.usd / going.interest_usd * 1e4,
            induced_share=going.usd / going.all_usd,
        )
