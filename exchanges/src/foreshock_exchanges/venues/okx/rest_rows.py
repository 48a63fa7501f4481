"""What single rows of OKX's REST bodies say."""

import re
from typing import Final

from foreshock_exchanges.contract import Contract
from foreshock_exchanges.contracts import instrument
from foreshock_exchanges.rest import Premium
from foreshock_exchanges.venues.okx import rest_wire as wire
from foreshock_exchanges.wire import amount_or_none, millis_or_none, number_or_none
from foreshock_schemas.events import Instrument, InstrumentStatus

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "preopen": "pending",
    "live": "trading",
    "suspend": "closing",
}
_SWAP: Final = re.compile(r"([A-Z0-9]{1,20})-(USDT|USDC|USD)-SWAP")
_CATEGORIES: Final = {"", "1"}
_HOUR_MS: Final = 3_600_000


def family(symbol: str) -> str:
    """Return the family of a swap, which is the name of its index, too: BTC-USDT."""
    return symbol.removesuffix("-SWAP")


def swap(row: wire.InstrumentRow, recv_ms: int) -> Instrument | None:
    """Return a swap of a coin, if it is one and has a size.

    A contract is `ctVal` times `ctMult` of the coin, or of the quote currency if it is inverse.
    """
    size, times = amount_or_none(row.ct_val), amount_or_none(row.ct_mult)
    found = _SWAP.fullmatch(row.inst_id)
    kept = row.state in _STATUS and row.inst_category in _CATEGORIES
    if not (found and kept and size and times):
        return None
    base, quote = found.groups()
    return instrument(
        "okx",
        row.inst_id,
        base,
        recv_ms,
        quote=quote,
        status=_STATUS[row.state],
        size=size * times,
        inverse=row.ct_type == "inverse",
        tick=amount_or_none(row.tick_sz),
    )


def premium(
    known: Contract, mark: float, index: float | None, row: wire.FundingRow | None, ts_ms: int
) -> Premium:
    """Return a swap's mark and index, and its funding if it was told.

    Funding times are apart by the funding interval.
    """
    if row is None:
        return known.premium(mark, index, None, ts_ms)
    due_ms, then_ms = millis_or_none(row.funding_time), millis_or_none(row.next_funding_time)
    return known.premium(
        mark,
        index,
        number_or_none(row.funding_rate),
        ts_ms,
        funding_interval_h=(then_ms - due_ms) / _HOUR_MS if then_ms and due_ms else None,
        next_funding_ms=due_ms,
    )
