"""Gate USDT perpetuals."""

from foreshock_exchanges.venues.gate.adapter import Gate as ADAPTER  # noqa: N814

__all__ = ["ADAPTER"]
