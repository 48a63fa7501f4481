"""Open interest, with the mark and the funding that are read beside it."""

from collections.abc import Callable, Iterable, Mapping

from foreshock_exchanges.rest import OpenContracts, Premium
from foreshock_schemas.events import OpenInterest
from foreshock_schemas.ids import venue_id


def readings(
    venue: str,
    rows: Iterable[OpenContracts],
    premiums: Mapping[str, Premium],
    interval_h: Callable[[str], float],
    recv_ms: int,
    comparable_since_ms: int = 0,
) -> list[OpenInterest]:
    """Return the open interest of contracts whose mark price is known.

    Funding is for the hours that its premium tells, else for `interval_h` of the symbol. Figures
    from before `comparable_since_ms` were counted by the venue in another way.
    """
    return [
        OpenInterest(
            event_id=venue_id(venue, row.symbol, "oi", row.ts_event_ms),
            ts_event_ms=row.ts_event_ms,
            ts_recv_ms=recv_ms,
            exchange=venue,
            symbol=row.symbol,
            coin=row.coin,
            open_interest_coins=row.open_interest_coins,
            open_interest_usd=row.open_interest_coins * premium.mark_price,
            mark_price=premium.mark_price,
            index_price=premium.index_price,
            funding_rate=premium.funding_rate,
            funding_interval_h=premium.funding_interval_h or interval_h(row.symbol),
            next_funding_ms=premium.next_funding_ms,
            comparable_since_ms=comparable_since_ms,
        )
        for row in rows
        if (premium := premiums.get(row.symbol)) is not None
    ]
