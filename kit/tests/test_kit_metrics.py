"""Counts that code without metrics keeps, as Prometheus gets them."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from foreshock_kit.metrics import CountsElsewhere

NAMES = st.sampled_from(["frames", "ignored", "malformed"])
REASONS = st.sampled_from(["", "ack", "snapshot"])
COUNTS = st.dictionaries(st.tuples(NAMES, REASONS), st.integers(0, 2**40))


def scraped(sources):
    counts = CountsElsewhere()
    for exchange, kept in sources.items():
        counts.add(
            "foreshock_x",
            lambda kept=kept: [(name, reason, count) for (name, reason), count in kept.items()],
            exchange=exchange,
        )
    registry = CollectorRegistry()
    registry.register(counts)
    return registry, generate_latest(registry).decode().splitlines()


@given(st.dictionaries(st.sampled_from(["binance", "bybit", "okx"]), COUNTS))
def test_each_name_comes_once_with_all_its_exchanges_and_reasons(sources):
    registry, lines = scraped(sources)
    names = {name for kept in sources.values() for name, _ in kept}
    typed = [line for line in lines if line.startswith("# TYPE")]
    assert sorted(typed) == sorted(f"# TYPE foreshock_x_{name}_total counter" for name in names)
    for exchange, kept in sources.items():
        for (name, reason), count in kept.items():
            labels = {"exchange": exchange, "reason": reason}
            assert registry.get_sample_value(f"foreshock_x_{name}_total", labels) == count
    assert len([line for line in lines if line[0] != "#"]) == sum(map(len, sources.values()))


def test_counts_are_read_anew_at_each_scrape():
    kept = {("frames", ""): 1}
    registry, _ = scraped({"okx": kept})
    kept["frames", ""] = 5
    labels = {"exchange": "okx", "reason": ""}
    assert registry.get_sample_value("foreshock_x_frames_total", labels) == 5


def test_the_same_name_of_two_services_is_two_names():
    counts = CountsElsewhere()
    for prefix in ("foreshock_a", "foreshock_b"):
        counts.add(prefix, lambda: [("frames", "", 1)], exchange="okx")
    assert [family.name for family in counts.collect()] == [
        "foreshock_a_frames",
        "foreshock_b_frames",
    ]
