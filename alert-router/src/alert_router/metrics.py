"""What alert-router counts."""

from typing import Final, get_args

from prometheus_client import Counter

from foreshock_schemas.events import IncidentState

SIGNALS: Final = Counter("foreshock_alert_router_signals_total", "Signals read, by kind.", ["kind"])
ALERTS: Final = Counter(
    "foreshock_alert_router_alerts_total",
    "Alerts written to be told, by kind and severity.",
    ["kind", "severity"],
)
HELD_BACK: Final = Counter(
    "foreshock_alert_router_held_back_total",
    "What was not told, by kind and reason. Signals: repeat, unwanted, cooldown, market_wide; "
    "a chat's alerts: limit.",
    ["kind", "reason"],
)
INCIDENTS: Final = Counter(
    "foreshock_alert_router_incidents_total",
    "Incidents that reached a state, as detectors say.",
    ["state"],
)
for _state in get_args(IncidentState):  # from zero, so that the first of a kind is seen to come
    INCIDENTS.labels(_state)
MARKET_WIDE: Final = Counter(
    "foreshock_alert_router_market_wide_total", "Market-wide incidents that opened."
)
