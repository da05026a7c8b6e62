"""Python packages that fit the simulated trial, each as its documentation has it; those not installed are named."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.races import Reached
from benchmarks.trial import FORMULA

_FIXED, _RANDOM, _SUBJECT = "score ~ visit * arm", "~ week", "id"

Fit = Callable[[], Reached]


def statsmodels_fit(frame: pd.DataFrame) -> Fit:
    """Return statsmodels' MixedLM."""
    return _quiet(lambda: _as_statsmodels("statsmodels.regression.mixed_linear_model", frame))


def mixedlm_rs_fit(frame: pd.DataFrame) -> Fit:
    """Return mixedlm-rs, which has the interface of statsmodels."""
    return _quiet(lambda: _as_statsmodels("mixedlm_rs", frame))


def mixedlm_fit(frame: pd.DataFrame) -> Fit:
    """Return mixedlm, which has the names of lme4."""

    def fit() -> Reached:
        model = _package("mixedlm").lmer(FORMULA, frame)
        return Reached(log_likelihood=float(model.logLik().value), beta=np.asarray(model.beta))

    return _quiet(fit)


def lme_python_fit(frame: pd.DataFrame) -> Fit:
    """Return lme-python, on a frame of its own kind that is made before the clock starts."""
    texts = frame.assign(**{name: frame[name].astype(str) for name in ("visit", "arm", "id")})
    made: list[Any] = []

    def fit() -> Reached:
        if not made:
            made.append(_package("polars").from_pandas(texts))
        model = _package("lme_python").lmer(FORMULA, made[0])
        return Reached(log_likelihood=float(model.log_likelihood), beta=np.array(model.coefficients))

    return _quiet(fit)


def pyreml_fit(frame: pd.DataFrame) -> Fit:
    """Return pyreml, which differentiates REML by torch, in double precision."""

    def fit() -> Reached:
        pyreml = _package("pyreml")
        random = pyreml.Random(formula="1 + week", unit=_SUBJECT, left_hand="full")
        model = pyreml.MixedModel.from_dataframe(data=frame, response="score", fixed="visit * arm", random=random)
        model.fit(dtype="double", verbose=False)
        return Reached(log_likelihood=-model.neg2loglik / 2, beta=model.estimates["estimate"].to_numpy())

    return _quiet(fit)


def _as_statsmodels(module: str, frame: pd.DataFrame) -> Reached:
    model = _package(module).MixedLM.from_formula(_FIXED, frame, groups=_SUBJECT, re_formula=_RANDOM)
    found = model.fit(reml=True)
    return Reached(log_likelihood=float(found.llf), beta=np.asarray(found.fe_params))


def _package(name: str) -> Any:  # noqa: ANN401  # packages without types
    return importlib.import_module(name)


def _quiet(fit: Fit) -> Fit:
    def quietly() -> Reached:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fit()

    return quietly
