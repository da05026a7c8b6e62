"""Trajectory models: whole searches of ours beside those of lcmm and flexmix, and the bootstrap of the ratio."""

import statistics
import time
from dataclasses import replace

import pandas as pd

from benchmarks.races import OURS, Race, Reached, asked, run_in_turn, standings, timed
from benchmarks.tables import Cell, Judged, Table
from harness import Cohort, blrt, fit_gbtm, fixture_cohort
from harness.cohorts.frames import to_frame
from harness.cohorts.subset import keep_levels
from harness.gbtm.spec import GbtmSpec
from harness.references.requests import gbtm_request
from harness.references.worker import RWorker

TREATMENT = {"visit": ("inf1", "inf2", "inf3", "inf4", "inf5", "inf6")}
TRAJECTORIES = GbtmSpec(outcome="madrs", time="infusion", subject="subject", orders=(2, 2, 2, 2), n_starts=100)
REP, MAXITER = 30, 15
TARGET = 200.0
ALL_CLASSES = range(1, 7)
ALL = f"{OURS}, {ALL_CLASSES.start} to {ALL_CLASSES.stop - 1} classes in turn"
REPLICATES = 500
MOST_SECONDS = 60.0


def trajectory_model(worker: RWorker, rounds: int) -> Table:
    """Time a search for four quadratic classes: ours with 100 starts, polished, with standard errors."""
    cohort = keep_levels(fixture_cohort("ketamine_sharp"), TREATMENT)
    frame = to_frame(cohort)
    payload = gbtm_request(TRAJECTORIES, cohort).payload
    lcmm = f"lcmm::gridsearch(rep = {REP}, maxiter = {MAXITER})"
    flexmix = f"flexmix, {REP} starts, no standard errors"
    race = run_in_turn(
        {
            OURS: lambda k: timed(lambda: _our_search(frame, seed=k), inner=5),
            ALL: lambda k: timed(lambda: _all_searches(frame, seed=k), inner=1),
            lcmm: lambda k: asked(worker, "lcmm.time_gridsearch", payload, seed=k, rep=REP, maxiter=MAXITER),
            flexmix: lambda k: asked(worker, "flexmix.time_search", payload, seed=k, rep=REP),
        },
        rounds,
    )
    title = (
        f"Four quadratic classes of {TRAJECTORIES.outcome} on {TRAJECTORIES.time}, shared sigma, {_size(cohort)}\n"
        f"  {OURS}: {TRAJECTORIES.n_starts} starts, each polished, with standard errors; another seed each round\n"
        f"  lcmm: log-likelihood with its offset added; target: at least {TARGET:g} x our time for four classes,\n"
        f"  and all of {ALL_CLASSES.start} to {ALL_CLASSES.stop - 1} classes take us less than one of its searches\n"
        "  log-likelihood: the lowest of all rounds"
    )
    table = standings(title, race, {lcmm: TARGET})
    return table if lcmm in race.failures else replace(table, rows=(*table.rows, _together(race, lcmm)))


def _together(race: Race, lcmm: str) -> tuple[Cell, ...]:
    """Return the row that says how one search of lcmm compares with all of ours."""
    ratios = [t.seconds / o.seconds for t, o in zip(race.timings[lcmm], race.timings[ALL], strict=True)]
    judged = Judged(value=statistics.median(ratios), limit=1.0, at_least=True)
    return ("lcmm's search by all of ours", "", "", judged, f"{min(ratios):.3g}-{max(ratios):.3g}", "", "")


def bootstrap_of_classes() -> Table:
    """Test four quadratic classes against five by the parametric bootstrap."""
    cohort = keep_levels(fixture_cohort("ketamine_sharp"), TREATMENT)
    small, large = (
        fit_gbtm(cohort, outcome="madrs", time="infusion", subject="subject", orders=(2,) * K) for K in (4, 5)
    )
    started = time.perf_counter()
    test = blrt(small, large, replicates=REPLICATES, seed=1, workers=2)
    seconds = time.perf_counter() - started
    return Table(
        title=f"blrt of four against five quadratic classes, {_size(cohort)}, two processes\n"
        f"  target: at most {MOST_SECONDS:g} s of the clock",
        header=("replicates", "seconds", "p", "ratio"),
        rows=((f"{REPLICATES}", Judged(value=seconds, limit=MOST_SECONDS), f"{test.p:.4f}", f"{test.statistic:.4f}"),),
    )


def _all_searches(frame: pd.DataFrame, seed: int) -> Reached:
    reached = [_our_search(frame, seed, n_classes).log_likelihood for n_classes in ALL_CLASSES]
    return Reached(log_likelihood=max(reached))


def _our_search(frame: pd.DataFrame, seed: int, n_classes: int = TRAJECTORIES.n_classes) -> Reached:
    fit = fit_gbtm(
        frame,
        outcome=TRAJECTORIES.outcome,
        time=TRAJECTORIES.time,
        subject=TRAJECTORIES.subject,
        orders=(2,) * n_classes,
        n_starts=TRAJECTORIES.n_starts,
        seed=seed,
    )
    if fit.estimates.covariance is None:
        raise RuntimeError(" ".join(fit.warnings))  # the time of a fit without standard errors says nothing
    return Reached(log_likelihood=fit.log_likelihood)


def _size(cohort: Cohort) -> str:
    return f"{len(cohort.factors[cohort.subject].levels)} subjects, {cohort.n_rows} rows"
