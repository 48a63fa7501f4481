"""Bitget USDT perpetuals, by its API v3."""

from foreshock_exchanges.venues.bitget.adapter import Bitget as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
