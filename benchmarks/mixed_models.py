"""Linear mixed models: ours beside R's and Python's, from a formula and a data frame to tested coefficients."""

from collections.abc import Mapping

import pandas as pd

from benchmarks import peers
from benchmarks.races import OURS, Race, Reached, Run, asked, run_in_turn, standings, timed
from benchmarks.tables import Judged, Table
from benchmarks.trial import FORMULA, trial
from harness import cohort_from_frame, fit_lmm
from harness.errors import EngineError
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.references.lmm_requests import lmm_request
from harness.references.worker import RWorker

LMER, STATSMODELS = "lme4::lmer", "statsmodels MixedLM"
ADJUSTED = "lmerTest, summary by Kenward-Roger (pbkrtest)"
QUICKEST = "lmer, pbkrtest::vcovAdj and Lb_ddf"
SMALL, LARGE = 209, 20_000
SMALL_TARGETS = {LMER: 8.0, QUICKEST: 50.0, ADJUSTED: 50.0}
LARGE_TARGETS = {LMER: 30.0, STATSMODELS: 500.0}
REPLICATES, REPLICATES_OF_R = 1000, 25
MOST_SECONDS_OF_REFITS, PROFILE_TARGET = 3.0, 15.0


def small_panel(worker: RWorker, rounds: int) -> Table:
    """Time the trial of 209 subjects."""
    frame = trial(SMALL)
    return _table(frame, run_in_turn(_engines(worker, frame, inner=5), rounds, {STATSMODELS: 3, ADJUSTED: 3}))


def large_panel(worker: RWorker, rounds: int) -> Table:
    """Time the trial of 20,000 subjects; the slow ones once, and without what would take minutes."""
    frame = trial(LARGE)
    engines = {name: run for name, run in _engines(worker, frame, inner=1).items() if name != ADJUSTED}
    once = dict.fromkeys((STATSMODELS, QUICKEST, "nlme::lme"), 1)
    return _table(frame, run_in_turn(engines, rounds, once))


def refits(worker: RWorker) -> Table:
    """Time what takes many fits of the small panel: a parametric bootstrap and profile intervals of all parameters."""
    frame = trial(SMALL)
    payload = _payload(frame)
    fit = fit_lmm(FORMULA, frame)
    fit.bootstrap(10, seed=1)
    ours = {
        "bootstrap": timed(lambda: _none(fit.bootstrap(REPLICATES, seed=1)), inner=1).seconds,
        "profile": timed(lambda: _none(fit.intervals("profile")), inner=3).seconds,
    }
    rows: list[tuple[str | Judged, ...]] = [
        (
            f"{REPLICATES} bootstrap refits",
            Judged(value=ours["bootstrap"], limit=MOST_SECONDS_OF_REFITS),
            *_beside(worker, "lme4.time_bootstrap", payload, ours["bootstrap"], None),
        ),
        (
            "profile intervals of all parameters",
            f"{ours['profile']:.3g}",
            *_beside(worker, "lme4.time_profile", payload, ours["profile"], PROFILE_TARGET),
        ),
    ]
    title = (
        f"{FORMULA}, many fits of {SMALL} subjects\n"
        f"  bootstrap: target at most {MOST_SECONDS_OF_REFITS:g} s; bootMer ran {REPLICATES_OF_R} of its replicates\n"
        f'  profile: target {PROFILE_TARGET:g} x faster than confint(m, method = "profile")'
    )
    return Table(title=title, header=("what", "seconds", "lme4's seconds", "times ours"), rows=tuple(rows))


def _engines(worker: RWorker, frame: pd.DataFrame, inner: int) -> Mapping[str, Run]:
    payload = _payload(frame)
    return {
        OURS: lambda _: timed(lambda: _tested(frame), inner=inner),
        "harness, the fit alone": lambda _: timed(lambda: _fitted(frame), inner=inner),
        LMER: lambda _: asked(worker, "lme4.time", payload, inner=inner),
        QUICKEST: lambda _: asked(worker, "pbkrtest.time", payload, inner=1),
        "lmerTest, summary by Satterthwaite": lambda _: asked(worker, "lmerTest.time", payload, inner=1, adjusted=0),
        ADJUSTED: lambda _: asked(worker, "lmerTest.time", payload, inner=1, adjusted=1),
        "nlme::lme": lambda _: asked(worker, "nlme.time", payload, inner=1),
        STATSMODELS: lambda _: timed(peers.statsmodels_fit(frame), inner=inner // 2),
        "mixedlm-rs": lambda _: timed(peers.mixedlm_rs_fit(frame), inner=inner),
        "mixedlm": lambda _: timed(peers.mixedlm_fit(frame), inner=inner),
        "lme-python": lambda _: timed(peers.lme_python_fit(frame), inner=inner),
    }


def _table(frame: pd.DataFrame, race: Race) -> Table:
    m = frame["id"].nunique()
    targets = SMALL_TARGETS if m == SMALL else LARGE_TARGETS
    asked_of = ", ".join(f"{name} {target:g} x" for name, target in targets.items())
    title = (
        f"{FORMULA}, REML, simulated trial, {m} subjects, {len(frame)} rows\n"
        "  all engines start from a formula and a data frame; ours ends with Satterthwaite's and Kenward-Roger's\n"
        f"  tests of all coefficients, the others with the fit unless it is said; targets: {asked_of}\n"
        "  digits: of the log-likelihood, and of the fixed effects as a vector"
    )
    return standings(title, race, targets)


def _tested(frame: pd.DataFrame) -> Reached:
    fit = fit_lmm(FORMULA, frame)
    for method in ("satterthwaite", "kenward-roger"):
        fit.fixed_effects(method)
    return Reached(log_likelihood=fit.log_likelihood, beta=fit.beta)


def _fitted(frame: pd.DataFrame) -> Reached:
    fit = fit_lmm(FORMULA, frame)
    return Reached(log_likelihood=fit.log_likelihood, beta=fit.beta)


def _payload(frame: pd.DataFrame) -> Mapping[str, object]:
    return lmm_request(LmmSpec(formula=parse_formula(FORMULA)), cohort_from_frame(frame, subject="id")).payload


def _beside(
    worker: RWorker, operation: str, payload: Mapping[str, object], ours: float, target: float | None
) -> tuple[str | Judged, str | Judged]:
    """Return lme4's seconds, of as many replicates as ours, and how many times ours they are."""
    try:
        answer = worker.request(operation, {**payload, "replicates": REPLICATES_OF_R}, deadline=1800.0).value
    except EngineError as error:
        return f"not run: {error}", ""
    share = REPLICATES / REPLICATES_OF_R if operation.endswith("bootstrap") else 1.0
    seconds = float(answer["seconds"].item()) * share
    ratio = seconds / ours
    return f"{seconds:.3g}", f"{ratio:.3g}" if target is None else Judged(value=ratio, limit=target, at_least=True)


def _none(_: object) -> Reached:
    return Reached(log_likelihood=0.0)
