"""What oi-poller counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

POLLS: Final = Counter(
    "foreshock_oi_poller_polls_total", "Polls, by exchange and how they ended.", ["exchange", "end"]
)
POLL_SECONDS: Final = Histogram(
    "foreshock_oi_poller_poll_seconds",
    "How long one exchange's poll took.",
    ["exchange"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60),
)
LAST_POLL: Final = Gauge(
    "foreshock_oi_poller_last_poll_timestamp_seconds", "End of the last good poll.", ["exchange"]
)
UNANSWERED: Final = Counter(
    "foreshock_oi_poller_unanswered_total",
    "Requests about one contract that the exchange refused or answered wrongly.",
    ["exchange"],
)
STRANGERS: Final = Counter(
    "foreshock_oi_poller_strangers_total",
    "Contracts found to be another coin's than their ticker says, by their price.",
    ["exchange"],
)
COINS: Final = Gauge("foreshock_oi_poller_coins", "Coins in the universe.")
