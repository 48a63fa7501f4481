"""What alert-router counts."""

from typing import Final

from prometheus_client import Counter

SIGNALS: Final = Counter("foreshock_alert_router_signals_total", "Signals read, by kind.", ["kind"])
ALERTS: Final = Counter(
    "foreshock_alert_router_alerts_total",
    "Alerts written, by kind and severity.",
    ["kind", "severity"],
)
HELD_BACK: Final = Counter(
    "foreshock_alert_router_held_back_total",
    "Signals that gave no alert: repeats, within the cooldown, or wanted by nobody.",
    ["kind"],
)
