"""dYdX v4's perpetuals."""

from foreshock_exchanges.venues.dydx.adapter import Dydx as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
