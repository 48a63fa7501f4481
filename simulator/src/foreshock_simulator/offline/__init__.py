"""Days of a market as the events of the topics, in seconds and without a wire, with the truth."""

from foreshock_simulator.offline.run import LARGE, START_MS, Run, simulate
from foreshock_simulator.offline.truth import Cascade, InterestMove, Spike, Truth

__all__ = [
    "LARGE",
    "START_MS",
    "Cascade",
    "InterestMove",
    "Run",
    "Spike",
    "Truth",
    "simulate",
]
