"""From a fitted trajectory model and a table to what its classes predict, and what predicts them, by a named method."""

from typing import TYPE_CHECKING, get_args

from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.distal.class_mean_mixture import class_mean_mixture
from harness.gbtm.distal.estimates import Method, without_empty_errors
from harness.gbtm.distal.first_step import first_step
from harness.gbtm.distal.outcome_density import DistalOutcome, check_outcome
from harness.gbtm.distal.posterior_regression import posterior_regression
from harness.gbtm.distal.predictors import predict_membership
from harness.gbtm.distal.result import DistalResult, PredictorResult
from harness.gbtm.distal.subject_values import covariates_of_subjects, outcome_of_subjects
from harness.gbtm.distal.three_step import bch, three_step_ml
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.spec import Family, Sigma

if TYPE_CHECKING:
    from harness.gbtm.uncertainty import CovarianceKind


def distal_of(
    design: GbtmDesign,
    fit: GbtmFit,
    cohort: Cohort,
    column: str,
    method: Method,
    *,
    family: Family,
    sigma: Sigma,
    with_first_step: bool,
) -> DistalResult:
    """Return a distal outcome by class.

    Raises
    ------
    SpecError
        For a method or family that does not exist, an outcome that has several values a subject or does not fit its
        family, a fit that is no proper optimum, or settings that the method has no use for.
    """
    problems = []
    if method not in get_args(Method):
        expected = f"one of {', '.join(map(repr, get_args(Method)))}"
        problems.append(Problem(found=f"method {method!r}", expected=expected))
    elif sigma == "class" and method not in {"three_step_ml", "class_mean_mixture"}:
        problems.append(Problem(found=f"sigma 'class' for method {method!r}", expected="'shared'"))
    elif with_first_step and method not in {"three_step_ml", "bch"}:
        expected = "no such setting: this method maximises everything jointly"
        problems.append(Problem(found=f"first_step for method {method!r}", expected=expected))
    problems += _first_step_problems(fit, with_first_step=with_first_step)
    if problems:
        raise SpecError(f"distal outcome {column!r}", problems)
    values = outcome_of_subjects(cohort, column, design.subject_labels)
    outcome = DistalOutcome(name=column, values=values, family=family, sigma=sigma)
    check_outcome(outcome)
    step = first_step(design, fit)
    kind: CovarianceKind = "observed information" if design.spec.weights is None else "sandwich"
    match method:
        case "three_step_ml":
            found = three_step_ml(outcome, step, first_step=with_first_step)
        case "bch":
            found = bch(outcome, step, first_step=with_first_step)
        case "posterior_regression":
            found = posterior_regression(outcome, step, kind)
        case "class_mean_mixture":
            found = class_mean_mixture(outcome, step, kind)
    return DistalResult(estimates=without_empty_errors(found, step.assigned))


def predictors_of(
    design: GbtmDesign,
    fit: GbtmFit,
    cohort: Cohort,
    text: str,
    method: str,
    *,
    reference: int | None,
    with_first_step: bool,
) -> PredictorResult:
    """Return what predicts the classes; `reference` is a class from 1, None for the last one.

    Raises
    ------
    SpecError
        For a method or reference that does not exist, predictors that can't be used, or a fit that is no optimum.
    """
    problems = []
    K = design.n_classes
    if method != "three_step_ml":
        problems.append(Problem(found=f"method {method!r}", expected="'three_step_ml'"))
    if K == 1:
        problems.append(Problem(found="a model of one class", expected="two classes or more"))
    elif reference is not None and reference not in range(1, K + 1):
        problems.append(Problem(found=f"reference {reference!r}", expected=f"a class from 1 to {K}"))
    problems += _first_step_problems(fit, with_first_step=with_first_step)
    if problems:
        raise SpecError("predictors of membership", problems)
    factors, subjects = covariates_of_subjects(cohort, text, design.subject_labels, design.spec)
    step = first_step(design, fit)
    chosen = K if reference is None else reference
    return PredictorResult(estimates=predict_membership(factors, subjects, step, chosen, first_step=with_first_step))


def _first_step_problems(fit: GbtmFit, *, with_first_step: bool) -> list[Problem]:
    refusal = covariance_refusal(fit) or ("a parameter without a maximum" if fit.best.boundary else "")
    if with_first_step and refusal:
        found = f"first_step, where the trajectories have no covariance: {refusal}"
        return [Problem(found=found, expected="first_step=False")]
    return []
