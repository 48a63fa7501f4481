"""Kraken Futures' perpetuals."""

from foreshock_exchanges.venues.kraken.adapter import Kraken as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
