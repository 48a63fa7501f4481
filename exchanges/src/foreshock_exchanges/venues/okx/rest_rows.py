"""What single rows of OKX's REST bodies say."""

import re
from typing import Any, Final

from foreshock_exchanges.contracts import Contract, instrument
from foreshock_exchanges.rest import Premium
from foreshock_exchanges.venues.okx import rest_wire as wire
from foreshock_exchanges.wire import number_or_none
from foreshock_schemas.events import Instrument, InstrumentStatus, Kline
from foreshock_schemas.ids import venue_id

_STATUS: Final[dict[str, InstrumentStatus]] = {
    "preopen": "pending",
    "live": "trading",
    "suspend": "closing",
}
_SWAP: Final = re.compile(r"([A-Z0-9]{1,20})-(USDT|USDC|USD)-SWAP")
_CATEGORIES: Final = {"", "1"}
_INTERVAL_MS: Final = {"15m": 900_000, "1h": 3_600_000}
_HOUR_MS: Final = 3_600_000


def family(symbol: str) -> str:
    """Return the family of a swap, which is the name of its index, too: BTC-USDT."""
    return symbol.removesuffix("-SWAP")


def swap(row: wire.InstrumentRow, recv_ms: int) -> Instrument | None:
    """Return a swap of a coin, if it is one and has a size.

    A contract is `ctVal` times `ctMult` of the coin, or of the quote currency if it is inverse.
    """
    size, times = number_or_none(row.ct_val), number_or_none(row.ct_mult)
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
        tick=number_or_none(row.tick_sz),
    )


def premium(
    known: Contract, mark: float, index: float | None, row: wire.FundingRow | None, ts_ms: int
) -> Premium:
    """Return a swap's mark and index, and its funding if it was told.

    Funding times are apart by the funding interval.
    """
    due_ms = number_or_none(row.funding_time) if row else None
    then_ms = number_or_none(row.next_funding_time) if row else None
    return Premium(
        symbol=known.symbol,
        coin=known.coin,
        mark_price=mark / known.multiplier,
        index_price=index / known.multiplier if index else None,
        funding_rate=number_or_none(row.funding_rate) if row else None,
        next_funding_ms=int(due_ms) if due_ms else None,
        ts_event_ms=ts_ms,
        funding_interval_h=(then_ms - due_ms) / _HOUR_MS if then_ms and due_ms else None,
    )


def kline(row: Any, known: Contract, interval: Any, recv_ms: int) -> Kline:
    """Return a candle; its volume is in coins and in the quote currency."""
    start_ms, opened, high, low, close, _, volume, turnover, _ = row
    multiplier = known.multiplier
    return Kline(
        event_id=venue_id("okx", known.symbol, f"kline_{interval}", start_ms),
        ts_event_ms=start_ms + _INTERVAL_MS[interval],
        ts_recv_ms=recv_ms,
        exchange="okx",
        symbol=known.symbol,
        coin=known.coin,
        interval=interval,
        start_ms=start_ms,
        open=opened / multiplier,
        high=high / multiplier,
        low=low / multiplier,
        close=close / multiplier,
        volume_coins=volume * multiplier,
        notional_usd=turnover,
        taker_buy_usd=0.0,
        trades=0,
    )
