"""What people are told: alerts, their deliveries, and who wants them."""

from typing import Literal

from foreshock_schemas.events.base import Event, Severity
from foreshock_schemas.events.detection import IncidentState, SignalKind

DeliveryState = Literal["SENDING", "SENT", "FAILED", "UNKNOWN"]


class Alert(Event, frozen=True, gc=False, kw_only=True):
    """One incident's revision for one chat, in plain text; the gateway renders it.

    Lines between two empty ones are details, for who wants to know why.
    `ts_event_ms` and `ts_recv_ms` are those of the newest signal, so that latency can be
    measured end to end; past `expires_ms` it is history, not news. FADING and ENDED are told
    without a sound. What is `held_back`, by the chat's limit of alerts a day, is not told.
    """

    incident_id: str
    revision: int
    chat_id: int
    coin: str
    kind: SignalKind
    severity: Severity
    title: str
    lines: tuple[str, ...]
    signal_ids: tuple[str, ...]
    expires_ms: int
    incident_state: IncidentState | None = None
    held_back: bool = False


class Delivery(Event, frozen=True, gc=False, kw_only=True):
    """How far one alert has come on its way to one chat.

    SENDING is written before the request and SENT after it. UNKNOWN: no answer came, the
    message may be there. `latency_ms` runs from the receipt of the triggering data to SENT.
    """

    alert_id: str
    incident_id: str
    revision: int
    chat_id: int
    state: DeliveryState
    message_id: int | None
    attempt: int
    possible_repeat: bool
    latency_ms: int | None
    error: str | None


class Subscription(Event, frozen=True, gc=False, kw_only=True):
    """One chat's settings as they stand.

    `changed_by` keeps a manual stop apart from the automatic start, which never overrides it.
    `announced`: the chat has been told that monitoring started by itself.
    """

    chat_id: int
    active: bool
    changed_by: Literal["auto_start", "user"]
    announced: bool
    minimum_severity: Severity = "info"
    coins: tuple[str, ...] = ()
    muted_kinds: tuple[SignalKind, ...] = ()
