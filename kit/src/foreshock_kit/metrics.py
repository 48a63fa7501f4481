"""Metrics that every service has, and counts kept elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import REGISTRY, Gauge
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

LOOP_LAG: Final = Gauge(
    "foreshock_process_loop_lag_seconds", "How late the event loop turned when last looked at."
)

Counts = Iterable[tuple[str, str, int]]


def export_counts(
    prefix: str,
    read: Callable[[], Counts],
    *,
    exchange: str,
    registry: CollectorRegistry = REGISTRY,
) -> None:
    """Export counts that code without metrics keeps, read when Prometheus asks.

    `read` gives (name, reason, count); `reason` is empty where there is none. They appear as
    `<prefix>_<name>_total` with the labels `exchange` and `reason`.
    """
    registry.register(_Counts(prefix, read, exchange))


class _Counts(Collector):
    def __init__(self, prefix: str, read: Callable[[], Counts], exchange: str) -> None:
        self._prefix = prefix
        self._read = read
        self._exchange = exchange

    def describe(self) -> Iterable[CounterMetricFamily]:
        """Return nothing: several exchanges share the names."""
        return ()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return the counts as they are now."""
        for name, reason, count in self._read():
            family = CounterMetricFamily(
                f"{self._prefix}_{name}", f"Frames' {name}.", labels=["exchange", "reason"]
            )
            family.add_metric([self._exchange, reason], count)
            yield family
