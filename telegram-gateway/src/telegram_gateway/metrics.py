"""What telegram-gateway counts."""

from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram

from foreshock_schemas.events import DeliveryState

DELIVERIES: Final = Counter(
    "foreshock_telegram_gateway_deliveries_total", "Alerts by what became of them.", ["state"]
)
for _state in get_args(DeliveryState):  # from zero, so that the first of a kind is seen to come
    DELIVERIES.labels(_state)
LATENCY: Final = Histogram(
    "foreshock_telegram_gateway_alert_latency_seconds",
    "From the receipt of what triggered an alert to Telegram's answer.",
    buckets=(0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60),
)
WAITING: Final = Gauge("foreshock_telegram_gateway_waiting", "Alerts that wait to be sent.")
SKIPPED: Final = Counter(
    "foreshock_telegram_gateway_skipped_total",
    "Alerts not sent: known already, unwanted by the chat, or held back by its limit.",
    ["reason"],
)
COMMANDS: Final = Counter(
    "foreshock_telegram_gateway_commands_total", "Commands answered.", ["command"]
)
REFUSALS: Final = Counter(
    "foreshock_telegram_gateway_refusals_total", "Updates from people who are not authorised."
)
TELEGRAM_ERRORS: Final = Counter(
    "foreshock_telegram_gateway_telegram_errors_total",
    "Requests that Telegram did not take, by what that means.",
    ["kind"],
)
POLL_ERRORS: Final = Counter(
    "foreshock_telegram_gateway_poll_errors_total", "Failed requests for updates."
)
