"""What threshold-service counts."""

from typing import Final

from prometheus_client import Counter, Histogram

THRESHOLDS: Final = Counter(
    "foreshock_threshold_service_thresholds_total", "Limits written, by method.", ["method"]
)
SIGNALS: Final = Counter(
    "foreshock_threshold_service_signals_total", "Signals written, by kind.", ["kind"]
)
LATENCY: Final = Histogram(
    "foreshock_threshold_service_latency_seconds",
    "From the receipt of the triggering data to its signal in Kafka.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
REFUSED: Final = Counter(
    "foreshock_threshold_service_refused_total",
    "Records whose time lies more than 5 s ahead of their receipt.",
)
