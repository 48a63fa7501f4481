"""Hyperliquid's perpetuals."""

from foreshock_exchanges.venues.hyperliquid.adapter import Hyperliquid as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
