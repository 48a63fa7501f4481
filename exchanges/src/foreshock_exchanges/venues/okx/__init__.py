"""OKX v5, perpetual swaps."""

from foreshock_exchanges.venues.okx.adapter import Okx as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
