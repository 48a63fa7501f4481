"""BitMEX's perpetuals."""

from foreshock_exchanges.venues.bitmex.adapter import Bitmex as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
