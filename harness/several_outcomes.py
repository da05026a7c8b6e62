"""Trajectory models beyond one outcome, for a notebook: several outcomes with the same classes, or with two kinds.

>>> madrs, gad7 = outcome_model("madrs", orders=(2, 2, 2)), outcome_model("gad7", orders=(1, 1, 1))
>>> print(fit_multi_trajectory(data, [madrs, gad7], time="week", subject="id").summary())
>>> print(fit_dual_trajectory(data, first=madrs, second=gad7, time="week", subject="id").summary())
"""

from collections.abc import Iterable, Sequence

import pandas as pd

from harness.cohorts import Cohort
from harness.columns_of_frames import require
from harness.gbtm.several.dual_result import DualResult, fit_dual_cohort
from harness.gbtm.several.multi_result import MultiResult, fit_multi_cohort
from harness.gbtm.several.outcome_model import OutcomeModel, specs_of
from harness.gbtm.spec import Errors, Family, RandomCovariance, RandomScale, Sigma
from harness.quantities import Point
from harness.trajectories import cohort_for, plain


def outcome_model(
    outcome: str,
    orders: Sequence[int],
    *,
    time: str | None = None,
    family: Family = "gaussian",
    sigma: Sigma = "shared",
    limits: tuple[float, float] | None = None,
    trials: str | None = None,
    exposure: str | None = None,
    zero_orders: Sequence[int] | None = None,
    knots: Sequence[float] = (),
    covariates: str = "",
    common: str = "",
    random: int | None = None,
    random_covariance: RandomCovariance = "full",
    random_scale: RandomScale = "common",
    errors: Errors = "independent",
    dropout: Sequence[int] | None = None,
) -> OutcomeModel:
    """Return what a model of several outcomes says about one of them, given its class.

    Parameters
    ----------
    outcome
        Name of a column.
    orders
        Order of the polynomial of time in each class of this outcome.
    time
        A column of times of this outcome alone; by default that of the whole model.
    family, sigma, limits, trials, exposure, zero_orders, knots, covariates, common
        As in `fit_gbtm`.
    random, random_covariance, random_scale, errors, dropout
        As in `fit_gbtm`.

    Raises
    ------
    SpecError
        If `orders` is no sequence; all else is checked together with the data.
    """
    require("outcome_model", orders, Iterable, "one order for each class, such as orders=(2, 2, 1)")
    return OutcomeModel(
        outcome=outcome,
        orders=tuple(plain(order) for order in orders),
        time=time,
        family=family,
        sigma=sigma,
        limits=limits,
        trials=trials,
        exposure=exposure,
        zero_orders=None if zero_orders is None else tuple(plain(order) for order in zero_orders),
        knots=tuple(knots),
        covariates=covariates,
        common=common,
        random=random,
        random_covariance=random_covariance,
        random_scale=random_scale,
        errors=errors,
        dropout=None if dropout is None else tuple(plain(lags) for lags in dropout),
    )


def fit_multi_trajectory(
    data: pd.DataFrame | Cohort,
    outcomes: Sequence[OutcomeModel],
    *,
    time: str | None,
    subject: str,
    membership: str = "",
    weights: str | None = None,
    start: Point | None = None,
    n_starts: int = 100,
    seed: int = 1,
) -> MultiResult:
    """Fit a multi-trajectory model: one class variable, several outcomes that are independent within class.

    Parameters
    ----------
    data
        One row a visit. An outcome that is missing there is skipped; a subject needs one outcome of any kind.
    outcomes
        From `outcome_model`, each with as many orders as there are classes; the orders at one place are of one class.
    time, subject
        Names of columns.
    membership, weights
        Risk factors of the classes and sampling weights, as in `fit_gbtm`.
    start
        Parameters to climb from, and from nowhere else: log-odds, then each outcome's parameters as in `GbtmSpec`.
    n_starts, seed
        How many starts, and the seed from which all of them follow.

    Returns
    -------
    MultiResult
        In R, for a count and a binary outcome: ``flexmix(~ 1 | id, k = K, model = list(FLXMRglm(y1 ~ t, family =
        "poisson"), FLXMRglm(cbind(y2, 1 - y2) ~ t, family = "binomial")))``.

    Raises
    ------
    CohortError, SpecError
        With everything that is wrong with the columns, or with the model for these data.
    """
    require("fit_multi_trajectory", outcomes, Sequence, "a list of outcome models")
    for outcome in outcomes:
        require("fit_multi_trajectory", outcome, OutcomeModel, "an outcome_model(...)")
    specs = specs_of(
        outcomes,
        time=time,
        subject=subject,
        membership=membership,
        weights=weights,
        n_starts=plain(n_starts),
        seed=plain(seed),
    )
    return fit_multi_cohort(specs, cohort_for(specs, data, "fit_multi_trajectory"), start)


def fit_dual_trajectory(
    data: pd.DataFrame | Cohort,
    *,
    first: OutcomeModel,
    second: OutcomeModel,
    time: str | None,
    subject: str,
    weights: str | None = None,
    n_starts: int = 100,
    seed: int = 1,
) -> DualResult:
    """Fit a dual trajectory model: a class variable for each of two outcomes, and how one depends on the other.

    Parameters
    ----------
    data
        One row a visit. An outcome that is missing there is skipped; a subject needs one outcome of either kind.
    first, second
        From `outcome_model`, with J and K orders.
    time, subject, weights
        Names of columns. Membership has no risk factors here.
    n_starts, seed
        How many products of starts of both outcomes, and the seed from which all of them follow.

    Returns
    -------
    DualResult
        With pi_j, pi_(k|j), pi_(j|k) and their standard errors. In Stata: ``traj, model(cnorm) ... model2(cnorm) ...``.

    Raises
    ------
    CohortError, SpecError
        With everything that is wrong with the columns, or with the model for these data.
    """
    for outcome in (first, second):
        require("fit_dual_trajectory", outcome, OutcomeModel, "an outcome_model(...)")
    one, two = specs_of(
        (first, second), time=time, subject=subject, weights=weights, n_starts=plain(n_starts), seed=plain(seed)
    )
    return fit_dual_cohort((one, two), cohort_for((one, two), data, "fit_dual_trajectory"))
