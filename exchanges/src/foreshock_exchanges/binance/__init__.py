"""Binance USD-M futures."""

from foreshock_exchanges.binance.adapter import Binance as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
