"""The engines of the table: what each fits, and how its fit is run on a data frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from benchmarks import peers
from benchmarks.classes import CLASSES, subjects_of_classes
from benchmarks.races import Reached, Timing, asked, timed
from benchmarks.trial import FORMULA, trial
from harness import cohort_from_frame, fit_gbtm, fit_lmm
from harness.formula import parse_formula
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.references.lmm_requests import lmm_request
from harness.references.requests import gbtm_request
from harness.references.worker import RWorker

STARTS = 5
"""Searches of a trajectory model, for all engines alike."""

SPEC = GbtmSpec(outcome="score", time="visit", subject="id", orders=(2,) * CLASSES, n_starts=STARTS)

Fit = Callable[[pd.DataFrame, RWorker, float], Callable[[int], Timing]]
"""Takes a frame, R and the seconds that a fit may take; returns what times the k-th fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One row of the table a size: `in_r` tells whether R's process is the one whose memory counts."""

    name: str
    model: str
    fit: Fit
    in_r: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the engines of one part of the table fit, and the data that they fit it to."""

    title: str
    simulate: Callable[[int], pd.DataFrame]


MODELS: Mapping[str, Model] = {
    "mixed": Model(title=f"{FORMULA}, REML, two arms, six visits of which an eighth is missed", simulate=trial),
    "classes": Model(
        title=f"{CLASSES} quadratic classes with one sigma, six visits, the best of {STARTS} starts",
        simulate=subjects_of_classes,
    ),
}


def _in_python(make: Callable[[pd.DataFrame], peers.Fit]) -> Fit:
    def prepared(frame: pd.DataFrame, _: RWorker, __: float) -> Callable[[int], Timing]:
        fit = make(frame)
        return lambda _: timed(fit, inner=0)

    return prepared


def _mixed_in_r(operation: str) -> Fit:
    def prepared(frame: pd.DataFrame, worker: RWorker, seconds: float) -> Callable[[int], Timing]:
        payload = lmm_request(LmmSpec(formula=parse_formula(FORMULA)), cohort_from_frame(frame, subject="id")).payload
        return lambda _: asked(worker, operation, payload, patience=seconds, inner=0)

    return prepared


def _classes_in_r(operation: str, **settings: int) -> Fit:
    def prepared(frame: pd.DataFrame, worker: RWorker, seconds: float) -> Callable[[int], Timing]:
        payload = gbtm_request(SPEC, cohort_from_frame(frame, subject="id")).payload
        return lambda k: asked(worker, operation, payload, patience=seconds, seed=k, rep=STARTS, **settings)

    return prepared


def _ours_mixed(frame: pd.DataFrame) -> peers.Fit:
    def fit() -> Reached:
        found = fit_lmm(FORMULA, frame)
        errors = found.vcov.diagonal() ** 0.5
        return Reached(log_likelihood=found.log_likelihood, beta=found.beta, errors=errors)

    return fit


def _ours_classes(frame: pd.DataFrame, _: RWorker, __: float) -> Callable[[int], Timing]:
    def fit(seed: int) -> Reached:
        found = fit_gbtm(
            frame, outcome="score", time="visit", subject="id", orders=SPEC.orders, n_starts=STARTS, seed=seed
        )
        return Reached(log_likelihood=found.log_likelihood)

    return lambda k: timed(lambda: fit(k), inner=0)


OURS = "harness"
ENGINES: tuple[Engine, ...] = (
    Engine(name=OURS, model="mixed", fit=_in_python(_ours_mixed)),
    Engine(name="lme4", model="mixed", fit=_mixed_in_r("lme4.time"), in_r=True),
    Engine(name="nlme", model="mixed", fit=_mixed_in_r("nlme.time"), in_r=True),
    Engine(name="statsmodels", model="mixed", fit=_in_python(peers.statsmodels_fit)),
    Engine(name="mixedlm-rs", model="mixed", fit=_in_python(peers.mixedlm_rs_fit)),
    Engine(name="mixedlm", model="mixed", fit=_in_python(peers.mixedlm_fit)),
    Engine(name="lme-python", model="mixed", fit=_in_python(peers.lme_python_fit)),
    Engine(name="pyreml", model="mixed", fit=_in_python(peers.pyreml_fit)),
    Engine(name=OURS, model="classes", fit=_ours_classes),
    Engine(name="lcmm", model="classes", fit=_classes_in_r("lcmm.time_gridsearch", maxiter=15), in_r=True),
    Engine(name="flexmix", model="classes", fit=_classes_in_r("flexmix.time_search"), in_r=True),
)


def engine_of(model: str, name: str) -> Engine:
    """Return the engine of a model by its name; raise a `KeyError` if there is none."""
    return {(engine.model, engine.name): engine for engine in ENGINES}[model, name]
