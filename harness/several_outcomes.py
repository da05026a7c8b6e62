"""Trajectory models beyond one outcome, for a notebook: several outcomes, distal outcomes, predictors of membership.

>>> madrs, gad7 = outcome_model("madrs", orders=(2, 2, 2)), outcome_model("gad7", orders=(1, 1, 1))
>>> print(fit_multi_trajectory(data, [madrs, gad7], time="week", subject="id").summary())
>>> print(fit_dual_trajectory(data, first=madrs, second=gad7, time="week", subject="id").summary())
>>> fit = fit_gbtm(data, outcome="madrs", time="week", subject="id", orders=(2, 2, 2))
>>> print(distal_outcome(fit, one_row_each, outcome="relapse", family="logit").summary())
>>> print(membership_predictors(fit, one_row_each, "age + sex").summary())
"""

from collections.abc import Iterable, Sequence

import pandas as pd

from harness.cohorts import Cohort, cohort_from_frame
from harness.columns_of_frames import present, require
from harness.errors import Problem, SpecError
from harness.gbtm.distal.estimates import Method
from harness.gbtm.distal.methods import distal_of, predictors_of
from harness.gbtm.distal.result import DistalResult, PredictorResult
from harness.gbtm.result import GbtmResult
from harness.gbtm.several.dual_result import DualResult, fit_dual_cohort
from harness.gbtm.several.multi_result import MultiResult, fit_multi_cohort
from harness.gbtm.several.outcome_model import OutcomeModel, specs_of
from harness.gbtm.spec import Errors, Family, RandomCovariance, RandomScale, Sigma
from harness.gbtm.terms import columns_in
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
    if not outcomes:
        raise SpecError("fit_multi_trajectory", [Problem(found="no outcomes", expected="one outcome model or more")])
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


def distal_outcome(
    result: GbtmResult | MultiResult,
    data: pd.DataFrame | Cohort,
    *,
    outcome: str,
    method: Method = "three_step_ml",
    family: Family = "gaussian",
    sigma: Sigma = "shared",
    first_step: bool = False,
) -> DistalResult:
    """Compare an outcome that each subject has once between the classes of a fitted model.

    Parameters
    ----------
    result
        From `fit_gbtm` or `fit_multi_trajectory`.
    data
        A table with the subjects and the outcome: one row a subject, or several with the same value or none. Subjects
        without a value are counted; subjects that the trajectories do not have are left out.
    outcome
        Name of a numeric column.
    method
        "three_step_ml": the outcome's law by class from modal classes, corrected for wrong ones. "bch": means with
        weights that undo wrong classes, for any law. "posterior_regression": regression on posterior probabilities,
        maximised with the trajectories (Stata traj's `outcome()`). "class_mean_mixture": one more outcome of the
        mixture, which then has a say in the classes. They are different models; the first two are the usual choice.
    family
        "gaussian" (means), "logit" (0/1; log-odds), "poisson" (log rates). With "bch", means in every family.
    sigma
        Of a gaussian outcome: "shared", or one for each "class" (not with "bch" and "posterior_regression").
    first_step
        For the three-step methods: whether standard errors know that trajectories and classification were estimated,
        too. Without it they are those of the last step alone, as is usual.

    Raises
    ------
    CohortError, SpecError
        With everything that is wrong with the table, the settings or the fit.
    """
    _require_classes("distal_outcome", result)
    design = result.design
    cohort = _table(result, data, (outcome,), "distal_outcome")
    return distal_of(
        design, result.fit, cohort, outcome, method, family=family, sigma=sigma, with_first_step=first_step
    )


def membership_predictors(
    result: GbtmResult | MultiResult,
    data: pd.DataFrame | Cohort,
    predictors: str,
    *,
    method: str = "three_step_ml",
    reference: int | None = None,
    first_step: bool = False,
) -> PredictorResult:
    """Regress the classes of a fitted model on subjects' characteristics, without changing the classes.

    Parameters
    ----------
    result
        From `fit_gbtm` or `fit_multi_trajectory`, best without these predictors as risk factors.
    data
        A table with the subjects and the predictors: one row a subject, or several with the same values.
    predictors
        Right side of a formula, such as ``"age + sex"``.
    method
        "three_step_ml": multinomial logit of modal classes, corrected for wrong ones.
    reference
        Class (from 1) against which log-odds are; the last one by default.
    first_step
        As in `distal_outcome`.

    Raises
    ------
    CohortError, SpecError
        With everything that is wrong with the table, the predictors or the fit.
    """
    _require_classes("membership_predictors", result)
    require("membership_predictors", predictors, str, "the right side of a formula, such as 'age + sex'")
    cohort = _table(result, data, columns_in(predictors), "membership_predictors")
    return predictors_of(
        result.design, result.fit, cohort, predictors, method, reference=reference, with_first_step=first_step
    )


def _require_classes(where: str, result: object) -> None:
    if not isinstance(result, GbtmResult | MultiResult):
        expected = "a result of fit_gbtm or fit_multi_trajectory"
        raise SpecError(where, [Problem(found=f"a {type(result).__name__}", expected=expected)])


def _table(result: GbtmResult | MultiResult, data: pd.DataFrame | Cohort, names: Sequence[str], where: str) -> Cohort:
    """Return the columns of a table as a cohort, whose rows of a subject need no times."""
    if isinstance(data, Cohort):
        return data
    subject = result.design.spec.subject
    columns = present(data, (subject, *names), where)
    return cohort_from_frame(data, subject=subject, columns=columns)
