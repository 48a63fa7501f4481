"""`python -m evaluation`: how good the alerts are, on simulated and on recorded markets."""

import argparse
import sys
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from time import perf_counter
from typing import Final

from evaluation import recorded, simulated
from evaluation.evaluating import Ran, evaluation, evidence, save
from evaluation.jobs import Job, outcomes
from evaluation.report import html

SEEDS: Final = "101,102,103"
DATA: Final = Path("../shared/data")
OUTPUT: Final = Path("var")


def main() -> None:
    args = _arguments()
    began = perf_counter()
    recordings = [name for name in recorded.there(args.data) if name in args.recordings]
    missing = [name for name in args.recordings if name not in recordings]
    longest_first = sorted(args.scenarios, key=simulated.days_of, reverse=True)
    jobs = [
        *(Job(name=folder, data=args.data) for folder in recordings),
        *(Job(name=name, seed=seed) for name in longest_first for seed in args.seeds),
    ]
    if missing:
        lacking = ", ".join(missing)
        sys.stderr.write(f"left out: {lacking}; not in {args.data}, DATA=folder says where\n")
    ran = outcomes(jobs)
    seen = evidence(ran)
    result = evaluation(
        seen,
        Ran(
            seeds=args.seeds,
            scenarios=args.scenarios,
            recordings=tuple(recordings),
            missing_recordings=tuple(missing),
            versions={
                "python": python_version(),
                "threshold-service": version("threshold-service"),
                "alert-router": version("alert-router"),
            },
            records=sum(each.records for each in ran),
            duration_s=round(perf_counter() - began, 1),
        ),
    )
    save(seen, result, OUTPUT)
    (OUTPUT / "evaluation.html").write_text(html(seen, result))
    print(f"{len(result.rows)} rows in {OUTPUT}/evaluation.json, to read: {OUTPUT}/evaluation.html")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make evaluate", description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default=SEEDS, help="from 100 on: held-out")
    parser.add_argument("--scenarios", type=_scenarios, default=",".join(simulated.SCENARIOS))
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with recordings")
    parser.add_argument("--recordings", type=_recordings, default=",".join(recorded.FOLDERS))
    return parser.parse_args()


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(seed) for seed in text.split(",") if seed)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"{text!r}: say whole numbers, as {SEEDS}") from e


def _scenarios(text: str) -> tuple[str, ...]:
    return _some_of(simulated.SCENARIOS, text)


def _recordings(text: str) -> tuple[str, ...]:
    return _some_of(recorded.FOLDERS, text)


def _some_of(known: Collection[str], text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    if strangers := sorted(set(names) - set(known)):
        raise argparse.ArgumentTypeError(f"no {', '.join(strangers)}; there are {', '.join(known)}")
    return names


if __name__ == "__main__":
    main()
