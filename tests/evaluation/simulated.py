"""Simulated markets as sources: events are what was planted, and cascades that fed themselves."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from evaluation.labels import Label, labels, market_wide
from evaluation.lines import DETECTORS, Detector
from evaluation.running import DAY_MS, Parts, Source
from evaluation.tape import Print, Tape

from foreshock_simulator.market.profiles import DEMO
from foreshock_simulator.market.scenarios import SCENARIOS as MARKETS
from foreshock_simulator.offline import LARGE, Cascade, Run, Truth, simulate

HELD_OUT_FROM: Final = 100
"""Seeds from here on are never looked at while tuning."""

CASCADE_BP: Final = 15.0
CASCADE_USD: Final = 3e6
"""What a cascade must reach to count; smaller ones are neither hit nor miss."""

WARM_UP_DAYS: Final = 1.0
"""Nothing counts before: a coin's volume is learned for up to a day before it is told of."""

SCENARIOS: Final = tuple(name for name in MARKETS if name != "demo")

_DAYS: Final = {
    "spikes": 26.0,
    "regime-shift": 10.0,
    "oi-moves": 15.0,
    "weekend": 5.0,
    "jump": 4.0,
    "squeeze": 4.0,
    "cascade": 4.0,
    "crash": 4.0,
    "placebo": 4.0,
}
_ELSE_DAYS: Final = 3.0
_SEVERAL: Final = {"crash": (LARGE, DEMO[1], DEMO[2])}
"""Of one coin there is no market-wide incident."""


def days_of(scenario: str) -> float:
    """Return how many days a scenario is run for, the warm-up included."""
    return _DAYS.get(scenario, _ELSE_DAYS)


def source(scenario: str, seed: int, days: float) -> Source:
    """Return some days of a scenario with a seed as a source."""
    profiles = _SEVERAL.get(scenario, (LARGE,))
    run = simulate(scenario, seed, days, profiles=profiles)
    alone = len(profiles) == 1
    detectors = tuple(each for each in DETECTORS if not (alone and each == "market-wide"))
    return Source(
        data=f"simulator:{scenario}",
        run=str(seed),
        detectors=detectors,
        events=lambda: run,
        labels=lambda tape: _labels(run.truth, tape, detectors),
        parts=lambda _first_ms, _last_ms: _parts(run, seed),
    )


def _parts(run: Run, seed: int) -> Parts:
    start_ms = min(run.start_ms + int(WARM_UP_DAYS * DAY_MS), (run.start_ms + run.end_ms) // 2)
    cut_ms = start_ms if seed >= HELD_OUT_FROM else run.end_ms
    return Parts(start_ms=start_ms, cut_ms=cut_ms, end_ms=run.end_ms)


def _labels(truth: Truth, tape: Tape, detectors: Sequence[Detector]) -> list[Label]:
    found = [*_planted(truth), *labels(tape, ("liquidation",))]
    sides: defaultdict[tuple[str, str], list[Print]] = defaultdict(list)
    for name, coin in tape.coins.items():
        for each in coin.prints:
            sides[name, each.position].append(each)
    found += [_cascade(each, sides[each.coin, each.side]) for each in truth.cascades]
    counting = [label for label in found if label.counts]
    return found + market_wide(counting) if "market-wide" in detectors else found


def _planted(truth: Truth) -> Iterator[Label]:
    for spike in truth.spikes:
        yield _wave("volume", spike.coin, spike.at_ms, spike.lasts_s)
    for move in truth.moves:
        yield _wave("open-interest", move.coin, move.at_ms, move.lasts_s)


def _wave(detector: Detector, coin: str, at_ms: int, lasts_s: float) -> Label:
    end_ms = at_ms + round(lasts_s * 1000)
    return Label(detector=detector, coin=coin, start_ms=at_ms, end_ms=end_ms)


def _cascade(cascade: Cascade, prints: Sequence[Print]) -> Label:
    """Its course is what the feeds showed of its side from its onset to its end."""
    course: defaultdict[float, float] = defaultdict(float)
    for each in prints:
        if cascade.onset_ms <= each.ms <= cascade.end_ms:
            course[(each.ms - cascade.onset_ms) // 1000] += each.usd
    return Label(
        detector="cascade",
        coin=cascade.coin,
        start_ms=cascade.onset_ms,
        end_ms=cascade.end_ms,
        position=cascade.side,
        usd=cascade.usd,
        course=tuple(course.items()),
        counts=cascade.usd >= CASCADE_USD and cascade.bp_of_open_interest >= CASCADE_BP,
    )
