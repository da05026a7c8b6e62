"""How fast our engines are: side by side with R's in one run, one thread each, in turn.

python -m benchmarks.speed [--rounds N] [--searches N]
"""

import argparse
import importlib
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from benchmarks.machine import environment, pin_threads, timing_worker
from benchmarks.tables import Cell, Judged, Table, closing, exit_status, render
from harness import Cohort, fit_gbtm, fit_lmm, fixture_cohort
from harness.cohorts.frames import to_frame
from harness.cohorts.subset import keep_levels
from harness.errors import EngineError
from harness.formula import parse_formula
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.references.lcmm import CONSTANT_PER_ROW
from harness.references.requests import gbtm_request, lmm_request
from harness.references.worker import RWorker

TREATMENT = {"visit": ("inf1", "inf2", "inf3", "inf4", "inf5", "inf6")}
FORMULA = "madrs ~ week * protocol + (1 + week | subject)"
TRAJECTORIES = GbtmSpec(outcome="madrs", time="infusion", subject="subject", orders=(2, 2, 2, 2), n_starts=100)
REP, MAXITER = 30, 15

LMM_TARGET = 1.0
GBTM_TARGET = 50.0
OURS = "harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of one fit (the mean over a few), and the log-likelihood that it reached."""

    seconds: float
    log_likelihood: float


Run = Callable[[int], Timing]
"""Times one engine; the argument is the number of the round, which seeds those that draw their starts."""


@dataclass(slots=True)
class Race:
    """What every engine took, round by round, and why the others did not run."""

    timings: dict[str, list[Timing]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rounds", type=_count, default=15, metavar="N", help="rounds of the mixed model (15)")
    parser.add_argument("--searches", type=_count, default=3, metavar="N", help="rounds of the trajectory model (3)")
    options = parser.parse_args(arguments)
    tables = []
    with timing_worker() as worker:
        print(environment(worker))
        for measure, rounds in ((mixed_model, options.rounds), (trajectory_model, options.searches)):
            tables.append(measure(worker, rounds))
            print(f"\n{render(tables[-1])}")
    print(f"\n{closing(tables)}")
    return exit_status(tables)


def mixed_model(worker: RWorker, rounds: int) -> Table:
    """Time a random slope on the panel of 209 adults with six visits, some of them missed."""
    cohort = keep_levels(fixture_cohort("ketamine_real"), TREATMENT)
    frame = to_frame(cohort)
    request = lmm_request("lme4", LmmSpec(formula=parse_formula(FORMULA)), cohort)
    race = run_in_turn(
        {
            OURS: lambda _: _timed(lambda: fit_lmm(FORMULA, frame).log_likelihood, inner=10),
            "lme4::lmer": lambda _: _asked(worker, "lme4.time", request.payload, inner=10),
            "statsmodels MixedLM": lambda _: _timed(lambda: _statsmodels_fit(frame), inner=1),
        },
        rounds,
    )
    title = (
        f"{FORMULA}, REML, {_size(cohort)}\n"
        f"  all engines start from a formula and a data frame; target: lmer takes at least {LMM_TARGET:g} x our time"
    )
    return standings(title, race, {"lme4::lmer": LMM_TARGET})


def trajectory_model(worker: RWorker, rounds: int) -> Table:
    """Time a search for four quadratic classes: ours with 100 starts, polished, with standard errors."""
    cohort = keep_levels(fixture_cohort("ketamine_sharp"), TREATMENT)
    frame = to_frame(cohort)
    payload = gbtm_request(TRAJECTORIES, cohort).payload
    lcmm = f"lcmm::gridsearch(rep = {REP}, maxiter = {MAXITER})"
    flexmix = f"flexmix, {REP} starts, no standard errors"
    race = run_in_turn(
        {
            OURS: lambda k: _timed(lambda: _our_search(frame, seed=k), inner=5),
            lcmm: lambda k: _asked(worker, "lcmm.time_gridsearch", payload, seed=k, rep=REP, maxiter=MAXITER),
            flexmix: lambda k: _asked(worker, "flexmix.time_search", payload, seed=k, rep=REP),
        },
        rounds,
    )
    title = (
        f"Four quadratic classes of {TRAJECTORIES.outcome} on {TRAJECTORIES.time}, shared sigma, {_size(cohort)}\n"
        f"  {OURS}: {TRAJECTORIES.n_starts} starts, each polished, with standard errors; another seed each round\n"
        f"  lcmm: log-likelihood with its offset added; target: it takes at least {GBTM_TARGET:g} x our time\n"
        "  log-likelihood: the lowest of all rounds"
    )
    return standings(title, race, {lcmm: GBTM_TARGET})


def run_in_turn(runs: Mapping[str, Run], rounds: int) -> Race:
    """Run every engine once a round, one after the other, so that a busy machine slows all of them.

    An engine that fails once is out of the race.
    """
    race = Race()
    for number in range(1, rounds + 1):
        for name, run in runs.items():
            if name in race.failures:
                continue
            try:
                race.timings.setdefault(name, []).append(run(number))
            except (EngineError, ImportError) as error:
                race.failures[name] = str(error)
                del race.timings[name]
    return race


def standings(title: str, race: Race, targets: Mapping[str, float]) -> Table:
    """Return the race as a table; ratios are formed within a round, where both engines met the same load."""
    return Table(
        title=title,
        header=("engine", "seconds", "min-max", "times ours", "min-max", "log-likelihood", "digits as ours"),
        rows=tuple(_row(name, race, targets.get(name)) for name in race.timings),
        not_run=tuple(f"{name}: {reason}" for name, reason in race.failures.items()),
    )


def _row(name: str, race: Race, target: float | None) -> tuple[Cell, ...]:
    seconds, ours = ([timing.seconds for timing in race.timings[engine]] for engine in (name, OURS))
    reached, ours_reached = (min(timing.log_likelihood for timing in race.timings[engine]) for engine in (name, OURS))
    took = (name, f"{statistics.median(seconds):.4f}", f"{min(seconds):.4f}-{max(seconds):.4f}")
    if name == OURS:
        return (*took, "1", "", f"{reached:.8f}", "")
    ratios = [theirs / own for theirs, own in zip(seconds, ours, strict=True)]
    median = statistics.median(ratios)
    return (
        *took,
        f"{median:.3g}" if target is None else Judged(value=median, limit=target, at_least=True),
        f"{min(ratios):.3g}-{max(ratios):.3g}",
        f"{reached:.8f}",
        digits(reached, ours_reached),
    )


def digits(left: float, right: float) -> str:
    """Return to how many significant digits two numbers agree."""
    if left == right:
        return "all"
    return f"{-math.log10(abs(left - right) / max(abs(left), abs(right))):.1f}"


def _timed(run: Callable[[], float], inner: int) -> Timing:
    reached = run()
    started = time.perf_counter()
    for _ in range(inner):
        run()
    return Timing(seconds=(time.perf_counter() - started) / inner, log_likelihood=reached)


def _asked(worker: RWorker, operation: str, payload: Mapping[str, Any], **settings: int) -> Timing:
    answer = worker.request(operation, {**payload, **settings}).value
    n_offset = answer["n_observations"].item() if "n_observations" in answer else 0
    reached = answer["log_likelihood"].item() + CONSTANT_PER_ROW * n_offset
    return Timing(seconds=answer["seconds"].item(), log_likelihood=reached)


def _our_search(frame: pd.DataFrame, seed: int) -> float:
    fit = fit_gbtm(
        frame,
        outcome=TRAJECTORIES.outcome,
        time=TRAJECTORIES.time,
        subject=TRAJECTORIES.subject,
        orders=TRAJECTORIES.orders,
        n_starts=TRAJECTORIES.n_starts,
        seed=seed,
    )
    if fit.estimates.covariance is None:
        raise RuntimeError(" ".join(fit.warnings))  # the time of a fit without standard errors says nothing
    return fit.log_likelihood


def _statsmodels_fit(frame: pd.DataFrame) -> float:
    mixedlm = importlib.import_module("statsmodels.formula.api").mixedlm
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        complete = frame.dropna(subset=["madrs"])
        model = mixedlm("madrs ~ week * protocol", complete, groups="subject", re_formula="~ week")
        return float(model.fit(reml=True).llf)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _size(cohort: Cohort) -> str:
    return f"{len(cohort.factors[cohort.subject].levels)} subjects, {cohort.n_rows} rows"


if __name__ == "__main__":
    pin_threads()
    sys.exit(main())
