"""Trajectory models for a notebook: fit one, choose the number of classes, test it.

>>> fit = fit_gbtm(data, outcome="madrs", time="week", subject="id", orders=(2, 2, 2, 2))
>>> print(fit.summary())
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.cohorts import Cohort, cohort_from_frame
from harness.columns_of_frames import present, require
from harness.gbtm.result import GbtmResult, fit_gbtm_cohort
from harness.gbtm.spec import Errors, Family, GbtmSpec, RandomCovariance, RandomScale, Sigma
from harness.gbtm.terms import columns_in
from harness.quantities import Point


def fit_gbtm(
    data: pd.DataFrame | Cohort,
    *,
    outcome: str,
    time: str | None,
    subject: str,
    orders: Sequence[int],
    family: Family = "gaussian",
    sigma: Sigma = "shared",
    limits: tuple[float, float] | None = None,
    trials: str | None = None,
    exposure: str | None = None,
    zero_orders: Sequence[int] | None = None,
    knots: Sequence[float] = (),
    covariates: str = "",
    common: str = "",
    membership: str = "",
    weights: str | None = None,
    random: int | None = None,
    random_covariance: RandomCovariance = "full",
    random_scale: RandomScale = "common",
    errors: Errors = "independent",
    dropout: Sequence[int] | None = None,
    start: Point | None = None,
    n_starts: int = 100,
    seed: int = 1,
) -> GbtmResult:
    """Fit a group-based trajectory model with one latent class for each entry of `orders`.

    Parameters
    ----------
    data
        One row a visit, each with its time. Of a DataFrame only the columns that the model names are read.
    outcome, time, subject
        Names of columns. Rows without an outcome do not exist for the model. `time` may be None if all orders are 0.
    orders
        Order of the polynomial of time in each class. Which class gets which order is part of the search.
    family, limits, trials, exposure, sigma, zero_orders, knots
        The law of the outcome given the class; see `GbtmSpec`.
    covariates, common, membership
        Right sides of formulas: covariates with coefficients by class, those with common ones, and the risk factors of
        the classes, which must be constant within subject.
    weights
        Column of sampling weights; standard errors are then those of the sandwich.
    random, random_covariance, random_scale, errors
        Random effects and correlated errors within class (growth mixture models); see `GbtmSpec`.
    dropout
        Lags of the dropout model of each class; None for none.
    start
        Parameters to climb from, and from nowhere else, as `GbtmSpec` lays them out: to see what becomes of another
        engine's estimates. Without it, the search has many starts of several kinds.
    n_starts, seed
        How many starts, and the seed from which all of them follow.

    Returns
    -------
    GbtmResult
        In R: ``lcmm::hlme(outcome ~ time + I(time^2), mixture = ~ time + I(time^2), subject, ng = K, data, B)`` for
        orders (2, ..., 2) and a shared sigma; with ``random = ~ time``, ``classmb = ~ x``, ``nwg = TRUE`` for random
        effects, risk factors and scales by class. For counts and proportions ``flexmix::flexmix(y ~ time | id, k = K,
        model = FLXMRglm(family = "poisson"))``.

    Raises
    ------
    CohortError, SpecError
        With everything that is wrong with the columns, or with the model for these data.
    """
    require("fit_gbtm", orders, Iterable, "one order for each class, such as orders=(2, 2, 1)")
    for name, given in (("zero_orders", zero_orders), ("knots", knots), ("dropout", dropout)):
        if given is not None:
            require("fit_gbtm", given, Iterable, f"several numbers, such as {name}=(1, 2)")
    spec = GbtmSpec(
        outcome=outcome,
        time=time,
        subject=subject,
        orders=_whole(orders),
        family=family,
        sigma=sigma,
        n_starts=plain(n_starts),
        seed=plain(seed),
        limits=limits,
        trials=trials,
        exposure=exposure,
        zero_orders=None if zero_orders is None else _whole(zero_orders),
        knots=tuple(knots),
        covariates=covariates,
        common=common,
        membership=membership,
        weights=weights,
        random=random,
        random_covariance=random_covariance,
        random_scale=random_scale,
        errors=errors,
        dropout=None if dropout is None else _whole(dropout),
    )
    return fit_gbtm_cohort(spec, cohort_for((spec,), data, "fit_gbtm"), start)


def cohort_for(specs: Sequence[GbtmSpec], data: pd.DataFrame | Cohort, where: str) -> Cohort:
    """Return the columns that models name as a cohort; a cohort as it is."""
    if isinstance(data, Cohort):
        return data
    named = [name for spec in specs for name in columns_of(spec)]
    time = specs[0].time
    return cohort_from_frame(data, subject=specs[0].subject, time=time, columns=present(data, named, where))


def columns_of(spec: GbtmSpec) -> tuple[str, ...]:
    """Return the columns that a model reads."""
    single = (spec.outcome, spec.time, spec.subject, spec.trials, spec.exposure, spec.weights)
    texts = (text for text in (spec.covariates, spec.common, spec.membership) if isinstance(text, str))
    named = [name for name in single if name is not None]
    return tuple(dict.fromkeys([*named, *(name for text in texts for name in columns_in(text))]))


def _whole(numbers: Iterable[Any]) -> tuple[int, ...]:
    return tuple(plain(number) for number in numbers)


def plain(number: "int | np.integer[Any]") -> int:
    """Return numpy's integers as Python's, of which specs are made; all else is for the checks to judge."""
    return int(number) if isinstance(number, np.integer) else number
