"""One coin's market over a day of steps, as columns."""

import msgspec
import numpy as np

from foreshock_schemas.names import coin_of
from foreshock_simulator.market.contract import Contract, Flow
from foreshock_simulator.market.traders import Flags, Floats

STEP_S = 5
STEP_MS = 1000 * STEP_S


class Closings(msgspec.Struct, frozen=True):
    """Positions closed by force: in which step, of which side, how much, and whether induced."""

    steps: "np.typing.NDArray[np.int64]"
    longs: Flags
    units: Floats
    induced: Flags


class Day(msgspec.Struct, frozen=True):
    """One coin's steps from `start_ms` on, a column each; volumes in USD, interest in units."""

    coin: str
    contract: Contract
    start_ms: int
    before: Floats
    price: Floats
    usd: Floats
    bought_usd: Floats
    mark: Floats
    index: Floats
    funding: Floats
    interest: Floats
    closings: Closings

    def __len__(self) -> int:
        return len(self.price)

    def times(self) -> "np.typing.NDArray[np.int64]":
        """Return when each step begins."""
        return self.start_ms + STEP_MS * np.arange(len(self), dtype=np.int64)


class Recorder:
    """Collects the steps of one coin until a day is taken out."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        base = contract.profile.base
        self.coin, self._multiplier = coin_of(base)
        self._rows: list[tuple[float, ...]] = []
        self._closed: list[tuple[int, Flow]] = []

    def note(self, flow: Flow) -> None:
        """Note one step, right after it."""
        on = self._contract
        if flow.closed is not None:
            self._closed.append((len(self._rows), flow))
        traded = (flow.before, flow.price, flow.usd, flow.bought_usd)
        self._rows.append((*traded, on.mark, on.index, on.funding_rate, on.open_interest))

    def take(self, start_ms: int) -> Day:
        """Return the steps so far, of which the first began at `start_ms`, and forget them."""
        before, price, usd, bought_usd, mark, index, funding, interest = np.array(self._rows).T
        closings = _closings(self._closed)
        self._rows, self._closed = [], []
        many = self._multiplier
        return Day(
            coin=self.coin,
            contract=self._contract,
            start_ms=start_ms,
            before=before / many,
            price=price / many,
            usd=usd,
            bought_usd=bought_usd,
            mark=mark / many,
            index=index / many,
            funding=funding,
            interest=interest * many,
            closings=msgspec.structs.replace(closings, units=closings.units * many),
        )


def _closings(rows: list[tuple[int, Flow]]) -> Closings:
    closed = [(step, flow.closed) for step, flow in rows if flow.closed is not None]
    if not closed:
        none = np.empty(0)
        return Closings(none.astype(np.int64), none.astype(bool), none, none.astype(bool))
    return Closings(
        np.repeat([step for step, _ in closed], [len(each.units) for _, each in closed]),
        np.concatenate([each.longs for _, each in closed]),
        np.concatenate([each.units for _, each in closed]),
        np.concatenate([each.induced for _, each in closed]),
    )
