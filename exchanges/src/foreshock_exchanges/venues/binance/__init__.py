"""Binance USD-M futures."""

from foreshock_exchanges.venues.binance.adapter import Binance as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
