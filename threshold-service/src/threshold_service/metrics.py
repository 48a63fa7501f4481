"""What threshold-service counts."""

from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram

from foreshock_schemas.events import SignalKind

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
HELD_BACK: Final = Counter(
    "foreshock_threshold_service_held_back_total",
    "Events that the budget held back, counted with the next signal of their coin and kind.",
    ["kind"],
)
for _kind in get_args(SignalKind):  # from zero, so that the first of a kind is seen to come
    HELD_BACK.labels(_kind)
LEARNING: Final = Gauge(
    "foreshock_threshold_service_learning_coins",
    "Coins whose usual volume is not learned yet: the original rule speaks for it.",
)
