"""Metrics that every service has, and counts kept elsewhere."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import REGISTRY, Gauge, disable_created_metrics
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

LOOP_LAG: Final = Gauge(
    "foreshock_process_loop_lag_seconds", "How late the event loop turned when last looked at."
)

Counts = Iterable[tuple[str, str, int]]


class CountsElsewhere(Collector):
    """Exports counts that code without metrics keeps, read when Prometheus asks.

    They appear as `<prefix>_<name>_total` with the labels `exchange` and `reason`.
    """

    def __init__(self) -> None:
        self._sources: list[tuple[str, str, Callable[[], Counts]]] = []

    def add(self, prefix: str, read: Callable[[], Counts], *, exchange: str) -> None:
        """Export what `read` gives: (name, reason, count); `reason` is empty if there is none."""
        self._sources.append((prefix, exchange, read))

    def describe(self) -> Iterable[CounterMetricFamily]:
        """Return nothing: the names are known only when counts are."""
        return ()

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return the counts as they are now, each name once."""
        families: dict[str, CounterMetricFamily] = {}
        for prefix, exchange, read in self._sources:
            for name, reason, count in read():
                full = f"{prefix}_{name}"
                if full not in families:
                    families[full] = CounterMetricFamily(
                        full, f"Frames' {name}.", labels=["exchange", "reason"]
                    )
                families[full].add_metric([exchange, reason], count)
        return families.values()


COUNTS_ELSEWHERE: Final = CountsElsewhere()
REGISTRY.register(COUNTS_ELSEWHERE)
# A second series for every counter, which nobody asks for
disable_created_metrics()  # type: ignore[no-untyped-call]
