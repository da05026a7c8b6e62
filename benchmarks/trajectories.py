"""Group-based trajectory models: a whole search of ours beside those of lcmm and flexmix."""

import pandas as pd

from benchmarks.races import OURS, Reached, asked, run_in_turn, standings, timed
from benchmarks.tables import Table
from harness import Cohort, fit_gbtm, fixture_cohort
from harness.cohorts.frames import to_frame
from harness.cohorts.subset import keep_levels
from harness.gbtm.spec import GbtmSpec
from harness.references.requests import gbtm_request
from harness.references.worker import RWorker

TREATMENT = {"visit": ("inf1", "inf2", "inf3", "inf4", "inf5", "inf6")}
TRAJECTORIES = GbtmSpec(outcome="madrs", time="infusion", subject="subject", orders=(2, 2, 2, 2), n_starts=100)
REP, MAXITER = 30, 15
TARGET = 50.0


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
            lcmm: lambda k: asked(worker, "lcmm.time_gridsearch", payload, seed=k, rep=REP, maxiter=MAXITER),
            flexmix: lambda k: asked(worker, "flexmix.time_search", payload, seed=k, rep=REP),
        },
        rounds,
    )
    title = (
        f"Four quadratic classes of {TRAJECTORIES.outcome} on {TRAJECTORIES.time}, shared sigma, {_size(cohort)}\n"
        f"  {OURS}: {TRAJECTORIES.n_starts} starts, each polished, with standard errors; another seed each round\n"
        f"  lcmm: log-likelihood with its offset added; target: it takes at least {TARGET:g} x our time\n"
        "  log-likelihood: the lowest of all rounds"
    )
    return standings(title, race, {lcmm: TARGET})


def _our_search(frame: pd.DataFrame, seed: int) -> Reached:
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
    return Reached(log_likelihood=fit.log_likelihood)


def _size(cohort: Cohort) -> str:
    return f"{len(cohort.factors[cohort.subject].levels)} subjects, {cohort.n_rows} rows"
