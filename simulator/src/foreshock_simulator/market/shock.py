"""What pushes the market from outside: news, a wave of trading, a wave of new positions."""

import math
from typing import Final

import msgspec


class Push(msgspec.Struct, frozen=True, gc=False):
    """What one step of a contract gets from outside.

    `log_return` and `interest` (a log share of the open interest) are added, volume is
    multiplied.
    """

    log_return: float = 0.0
    volume_times: float = 1.0
    interest: float = 0.0


STILL: Final = Push()


class Shock(msgspec.Struct, frozen=True, kw_only=True):
    """A push from `start_s` on, spread over `lasts_s`.

    The price goes by `volatilities` of a day of the contract's own and by `log_return`; volume
    is `volume_times` the usual meanwhile; open interest grows by the share `interest`.
    `symbols` are those it concerns; none: all.
    """

    start_s: float
    lasts_s: float
    symbols: frozenset[str] = frozenset()
    volatilities: float = 0.0
    log_return: float = 0.0
    volume_times: float = 1.0
    interest: float = 0.0

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.start_s + self.lasts_s

    def push(self, symbol: str, volatility: float, now_s: float, dt: float) -> Push:
        """Return what it does to a contract from `now_s` to `now_s + dt`."""
        overlap = min(now_s + dt, self.end_s) - max(now_s, self.start_s)
        if overlap <= 0 or (self.symbols and symbol not in self.symbols):
            return STILL
        part = overlap / self.lasts_s
        return Push(
            log_return=(self.volatilities * volatility + self.log_return) * part,
            volume_times=1 + (self.volume_times - 1) * overlap / dt,
            interest=math.log1p(self.interest) * part,
        )


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """When shocks come: the first at `first_s`, the next so long after the end of the last.

    `span_s` is how long the market lasts; None: for ever.
    """

    first_s: float
    between_s: tuple[float, float]
    span_s: float | None = None
