"""Open interest as streams tell it: beside a contract's mark price and funding."""

from foreshock_exchanges.rest import Premium
from foreshock_schemas.events import OpenInterest
from foreshock_schemas.ids import content_id


def open_interest(
    exchange: str, premium: Premium, coins: float, ts_event_ms: int | None, ts_recv_ms: int
) -> OpenInterest:
    """Return the open interest that a stream tells beside a contract's premium.

    Without a time of the venue's the receive time stands in.
    """
    said = (ts_event_ms or 0, coins, premium.mark_price, premium.funding_rate or 0.0)
    return OpenInterest(
        event_id=content_id(exchange, premium.symbol, "oi", *said),
        ts_event_ms=ts_event_ms or ts_recv_ms,
        ts_recv_ms=ts_recv_ms,
        exchange=exchange,
        symbol=premium.symbol,
        coin=premium.coin,
        open_interest_coins=coins,
        open_interest_usd=coins * premium.mark_price,
        mark_price=premium.mark_price,
        index_price=premium.index_price,
        funding_rate=premium.funding_rate,
        funding_interval_h=premium.funding_interval_h,
        next_funding_ms=premium.next_funding_ms,
    )
