"""Bybit v5, linear perpetuals."""

from foreshock_exchanges.venues.bybit.adapter import Bybit as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
