"""HTX USDT-margined swaps."""

from foreshock_exchanges.venues.htx.adapter import Htx as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
