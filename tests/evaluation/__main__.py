"""`python -m evaluation`: how good the alerts are, on simulated and on recorded markets."""

import argparse
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
    recordings = recorded.there(args.data)
    jobs = [
        *(Job(name=name, seed=seed) for name in args.scenarios for seed in args.seeds),
        *(Job(name=folder, data=args.data) for folder in recordings),
    ]
    ran = outcomes(jobs)
    seen = evidence(ran)
    result = evaluation(
        seen,
        Ran(
            seeds=args.seeds,
            scenarios=args.scenarios,
            recordings=tuple(recordings),
            missing_recordings=tuple(set(recorded.FOLDERS) - set(recordings)),
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
    return parser.parse_args()


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(int(seed) for seed in text.split(",") if seed)


def _scenarios(text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    if strangers := sorted(set(names) - set(simulated.SCENARIOS)):
        known = ", ".join(simulated.SCENARIOS)
        raise argparse.ArgumentTypeError(f"no scenario {', '.join(strangers)}; there are: {known}")
    return names


if __name__ == "__main__":
    main()
