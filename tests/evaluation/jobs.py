"""All runs, in two processes, with a progress bar."""

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec
from evaluation import recorded, simulated
from evaluation.running import Outcome, run
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PROCESSES: Final = 2


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run: a scenario with a seed, or a recording's folder in `data`."""

    name: str
    seed: int | None = None
    data: Path | None = None

    def __str__(self) -> str:
        return self.name if self.seed is None else f"{self.name} {self.seed}"


def outcome(job: Job) -> Outcome:
    """Run a job in this process."""
    if job.data is not None:
        return run(recorded.source(job.data, job.name))
    return run(simulated.source(job.name, job.seed or 0, simulated.days_of(job.name)))


def outcomes(jobs: Sequence[Job]) -> list[Outcome]:
    """Run all jobs; return their outcomes in the order of the jobs."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        running = {pool.submit(outcome, job): job for job in jobs}
        for _ in _shown(running):
            pass
        return [each.result() for each in running]


def _shown(running: dict[Future[Outcome], Job]) -> Iterator[None]:
    """Show each job as it ends: on a terminal a bar, else a line."""
    began = perf_counter()
    console = Console(stderr=True)
    columns = (
        TextColumn("evaluate"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    if not console.is_terminal:
        sys.stderr.write(f"runs to do: {len(running)}, {PROCESSES} at a time\n")
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(running))
        for done, future in enumerate(as_completed(running), 1):
            future.result()
            progress.update(bar, advance=1, description=str(running[future]))
            if not console.is_terminal:
                seconds = perf_counter() - began
                sys.stderr.write(f"[{done}/{len(running)}] {seconds:6.0f} s  {running[future]}\n")
                sys.stderr.flush()
            yield
