"""Deribit perpetuals: inverse in USD, linear in USDC."""

from foreshock_exchanges.venues.deribit.adapter import Deribit as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
