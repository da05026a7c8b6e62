"""Why a trajectory model can't be fitted to a cohort: every reason at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.arrays import Mask, Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError, nearest
from harness.gbtm.dropout import dropout_problems
from harness.gbtm.families.build import row_family
from harness.gbtm.response_building import time_names
from harness.gbtm.row_problems import change_problems, row_problems, size_problems
from harness.gbtm.setting_checks import setting_problems, type_problems
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.term_checks import covariate_problems, dependence_problems, term_problems
from harness.gbtm.terms import Covariates, covariates
from harness.gbtm.working_columns import natural_spline

_LARGEST_WEIGHT = 1e30
_ROUNDING = 1e-12  # of an outcome's size: what is left of it below this is rounding, and any sigma would be too


def refuse(spec: GbtmSpec, cohort: Cohort) -> None:
    """Raise a SpecError with all problems of this model on this cohort, if there are any."""
    refuse_all((spec,), cohort)


def refuse_all(specs: Sequence[GbtmSpec], cohort: Cohort) -> None:
    """Raise a SpecError with all problems of the outcomes of a model on this cohort, if there are any."""
    problems = [problem for spec in specs for problem in _problems(spec, cohort)]
    if problems:
        named = ", ".join(repr(spec.outcome) for spec in specs)
        raise SpecError(f"trajectory model of {named} in cohort {cohort.name!r}", list(dict.fromkeys(problems)))


def _problems(spec: GbtmSpec, cohort: Cohort) -> list[Problem]:
    """Return the problems of the first stage that has any: later ones take earlier ones for granted."""
    problems = list(type_problems(spec))
    if not problems:
        problems += [*setting_problems(spec), *_columns(spec, cohort)]
    if not problems:
        problems += _rows(spec, cohort)
    if not problems:
        problems += [*_values(spec, cohort), *_identification(spec, cohort), *dropout_problems(spec, cohort)]
    return problems


def _columns(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    for role, name in (
        ("outcome", spec.outcome),
        ("time", spec.time),
        ("trials", spec.trials),
        ("exposure", spec.exposure),
        ("weights", spec.weights),
    ):
        if name is None or name in cohort.numeric:
            continue
        if name in cohort.factors:
            yield Problem(found=f"{role} {name!r} is categorical", expected="a numeric column", column=name)
        else:
            yield _unknown(role, name, cohort)
    if spec.subject in cohort.numeric:
        yield Problem(
            found=f"subject {spec.subject!r} is numeric",
            expected=f"a categorical column, such as {cohort.subject!r}",
            column=spec.subject,
            advice="Read it with the role of a subject.",
        )
    elif spec.subject not in cohort.factors:
        yield _unknown("subject", spec.subject, cohort)
    if spec.outcome == spec.time:
        yield Problem(found=f"outcome and time are both {spec.outcome!r}", expected="two columns")
    for role, text in _texts(spec):
        yield from term_problems(role, text, spec, cohort)


def _texts(spec: GbtmSpec) -> tuple[tuple[str, str], ...]:
    return ("covariates", spec.covariates), ("common", spec.common), ("membership", spec.membership)


def _unknown(role: str, name: str, cohort: Cohort) -> Problem:
    return Problem(
        found=f"{role} {name!r} is not in the cohort",
        expected=f"one of {', '.join(map(repr, cohort.columns))}",
        column=name,
        advice=nearest(name, cohort.columns),
    )


def _observed(spec: GbtmSpec, cohort: Cohort) -> Mask:
    return np.asarray(~np.isnan(cohort.numeric[spec.outcome]))


def _rows(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    y, observed = cohort.numeric[spec.outcome], _observed(spec, cohort)
    codes = cohort.factors[spec.subject].codes
    if not observed.any():
        yield Problem(found="the outcome is missing in every row", expected="numbers", column=spec.outcome)
        return
    yield from row_problems(spec.outcome, np.isinf(y), "an infinite outcome", "a finite outcome, or none")
    without = observed & (codes < 0)
    yield from row_problems(spec.subject, without, "no subject", "a subject in every row with an outcome")
    yield from _companions(spec, cohort, observed)
    for name in filter(None, (spec.outcome, spec.time)):
        yield from size_problems(name, cohort.numeric[name][observed])
    yield from _constant_outcome(spec, cohort, observed)
    for role, text in _texts(spec):
        yield from covariate_problems(role, text, cohort, observed)


def _constant_outcome(spec: GbtmSpec, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    y = cohort.numeric[spec.outcome][observed]
    found = f"the outcome is {float(y[0])!r} in every row"
    if spec.trials is not None:
        of = cohort.numeric[spec.trials][observed]
        degenerate = (y == 0).all() or (y == of).all()
        found = found if (y == 0).all() else "every trial of every row is a success"
    elif spec.exposure is not None:
        degenerate = (y == 0).all()  # any other count varies with its exposure
    else:
        degenerate = np.ptp(y) == 0
    if degenerate:
        yield Problem(found=found, expected="an outcome that varies", column=spec.outcome)


def _companions(spec: GbtmSpec, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    """Yield what is missing or out of range in the numbers that stand beside the outcome."""
    given = (
        ("time", "a time", spec.time),
        ("trials", "trials", spec.trials),
        ("exposure", "an exposure", spec.exposure),
        ("weight", "a weight", spec.weights),
    )
    for role, one, name in given:
        if name is None:
            continue
        values, rest = cohort.numeric[name], "in every row with an outcome"
        yield from row_problems(name, observed & np.isnan(values), f"no {role}", f"{one} {rest}")
        yield from row_problems(name, observed & np.isinf(values), f"an infinite {role}", f"finite numbers {rest}")
        if role in {"exposure", "weight"}:
            not_positive = observed & (values <= 0)
            yield from row_problems(name, not_positive, f"{role} <= 0", f"{one} > 0 {rest}")
    if spec.weights is not None:
        values = cohort.numeric[spec.weights]
        extreme = observed & np.isfinite(values) & (values > 0)
        extreme &= (values > _LARGEST_WEIGHT) | (values < 1 / _LARGEST_WEIGHT)
        expected = f"weights from {1 / _LARGEST_WEIGHT:g} to {_LARGEST_WEIGHT:g}"
        yield from row_problems(spec.weights, extreme, "an extreme weight", expected)


def _values(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    """Yield outcomes that the family can't have; rows are those of the cohort."""
    y, observed = cohort.numeric[spec.outcome], _observed(spec, cohort)
    trials = None if spec.trials is None else cohort.numeric[spec.trials]
    for problem in row_family(spec.family, y, spec.limits, trials).problems():
        yield Problem(found=problem.found, expected=problem.expected, column=spec.outcome, advice=problem.advice)
    if spec.family == "censored_normal" and spec.limits is not None:
        lower, upper = spec.limits
        if not ((lower < y) & (y < upper)).any():
            found, expected = "every outcome is at a limit", "some between the limits, which tell sigma"
            yield Problem(found=found, expected=expected, column=spec.outcome, advice="Fit the family 'logit'.")
    codes = cohort.factors[spec.subject].codes
    if spec.weights is not None:
        yield from change_problems("weights", spec.weights, codes, cohort.numeric[spec.weights], observed)
    risk = covariates(spec.membership, cohort, np.flatnonzero(observed))
    for name, values in zip(risk.names, risk.values.T, strict=True):
        spread = np.full(len(observed), np.nan)
        spread[observed] = values
        yield from change_problems("membership", name, codes, spread, observed)
    if spec.errors == "brownian" and spec.time is not None:
        negative = observed & (cohort.numeric[spec.time] < 0)
        expected = "times >= 0, from which a Brownian process begins"
        yield from row_problems(spec.time, negative, "a time < 0", expected)


def _identification(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    observed = _observed(spec, cohort)
    y = cohort.numeric[spec.outcome][observed]
    time = np.zeros(len(y)) if spec.time is None else cohort.numeric[spec.time][observed]
    n_subjects = len(np.unique(cohort.factors[spec.subject].codes[observed]))
    if spec.n_classes > n_subjects:
        yield Problem(
            found=f"{spec.n_classes} classes for {n_subjects} subject(s) with an outcome",
            expected=f"at most {n_subjects} classes",
        )
    n_times = len(np.unique(time))
    highest = max(*spec.orders, *(spec.zero_orders or (0,)), spec.random or 0)
    if highest > n_times - 1:
        yield Problem(
            found=f"order {highest} with {n_times} distinct time(s)" + (": time is constant" if n_times == 1 else ""),
            expected=f"orders of at most {n_times - 1}",
            column=spec.time or "time",
        )
        return
    if spec.sigma == "visit":
        yield from _rare_visits(spec, time)
    if spec.knots and not (time.min() < min(spec.knots) and max(spec.knots) < time.max()):
        expected = f"knots between {time.min():g} and {time.max():g}"
        yield Problem(found=f"knots {spec.knots!r}", expected=expected, column=spec.time or "time")
        return
    rows = np.flatnonzero(observed)
    by_class, common = (covariates(text, cohort, rows, spec.time) for text in (spec.covariates, spec.common))
    risk = covariates(spec.membership, cohort, rows)
    of_time = _columns_of_time(spec, time)
    columns = np.column_stack([of_time.values, by_class.values, common.values])
    names = (*of_time.names, *by_class.names, *common.names)
    yield from dependence_problems(names, columns, "columns of time and covariates")
    yield from dependence_problems(risk.names, risk.values, "risk factors")
    if spec.family == "gaussian":
        yield from _exact_outcome(spec, y, columns)


def _rare_visits(spec: GbtmSpec, time: Vector) -> Iterator[Problem]:
    times, rows = np.unique(time, return_counts=True)
    rare = times[rows <= spec.n_classes]
    if len(rare):
        yield Problem(
            found=f"sigma 'visit' with {len(rare)} time(s) of {spec.n_classes} rows or fewer, the first {rare[0]:g}",
            expected="more rows than classes at every time, or a curve through each of them lets sigma vanish",
            column=spec.time,
            advice="Use the planned time of the visit as time.",
        )


def _columns_of_time(spec: GbtmSpec, time: Vector) -> Covariates:
    """Return the columns of time besides the intercept, scaled to keep their digits."""
    n_time = max(spec.orders)
    centre, half_range = (time.max() + time.min()) / 2, np.ptp(time) / 2 or 1.0
    scaled = (time - centre) / half_range
    if spec.knots:
        knots = np.array([time.min(), *spec.knots, time.max()])
        values = natural_spline(scaled, (knots - centre) / half_range)[:, :n_time]
    else:
        values = np.vander(scaled, n_time + 1, increasing=True)[:, 1:]
    return Covariates(names=time_names(spec, n_time), values=values)


def _exact_outcome(spec: GbtmSpec, y: Vector, columns: Matrix) -> Iterator[Problem]:
    with_intercept = np.column_stack([np.ones(len(y)), columns])
    scale = np.abs(with_intercept).max(axis=0)
    with_intercept = with_intercept / np.where(scale > 0, scale, 1.0)
    residuals = y - with_intercept @ np.linalg.lstsq(with_intercept, y, rcond=None)[0]
    if np.sqrt(np.mean(residuals**2)) <= _ROUNDING * np.max(np.abs(y)):
        yield Problem(
            found="time and covariates determine the outcome but for rounding, the same for every subject",
            expected="an outcome that varies between or within subjects",
            column=spec.outcome,
            advice="If its values are large and differ in their last digits only, subtract a constant.",
        )
