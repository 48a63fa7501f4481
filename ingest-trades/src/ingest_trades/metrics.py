"""What ingest-trades counts."""

from typing import Final

from prometheus_client import Counter, Histogram

DELAY: Final = Histogram(
    "foreshock_ingest_trades_delay_seconds",
    "From the exchange's time of a trade to its receipt, by two clocks; at most one in each ms.",
    ["exchange"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
MISSING: Final = Counter(
    "foreshock_ingest_trades_missing_total",
    "Trades that did not come over the socket, by the exchange's own numbers.",
    ["exchange"],
)
REFILLED: Final = Counter(
    "foreshock_ingest_trades_refilled_total", "Of those, how many REST had.", ["exchange"]
)
