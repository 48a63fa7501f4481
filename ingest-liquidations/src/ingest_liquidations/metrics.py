"""What ingest-liquidations counts."""

from typing import Final

from prometheus_client import Counter, Histogram

DELAY: Final = Histogram(
    "foreshock_ingest_liquidations_delay_seconds",
    "From the exchange's time of a liquidation to its receipt, by two clocks.",
    ["exchange"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 60),
)
NOT_FOLLOWED: Final = Counter(
    "foreshock_ingest_liquidations_not_followed_total",
    "Liquidations of coins outside the universe.",
    ["exchange"],
)
