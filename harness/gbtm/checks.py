"""Why a trajectory model can't be fitted to a cohort: every reason at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.arrays import Mask, Vector
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError, nearest
from harness.gbtm.dropout import dropout_problems
from harness.gbtm.families.build import row_family
from harness.gbtm.setting_checks import setting_problems
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.terms import covariate_problems, covariates

_LARGEST = 1e60
"""Powers and squares of larger numbers overflow, and those of smaller ones vanish."""

_NAMED = 5


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
    problems = [*setting_problems(spec), *_columns(spec, cohort)]
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


def _unknown(role: str, name: str, cohort: Cohort) -> Problem:
    return Problem(
        found=f"{role} {name!r} is not in the cohort",
        expected=f"one of {', '.join(map(repr, cohort.columns))}",
        column=str(name),
        advice=nearest(str(name), cohort.columns),
    )


def _observed(spec: GbtmSpec, cohort: Cohort) -> Mask:
    return np.asarray(~np.isnan(cohort.numeric[spec.outcome]))


def _rows(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    y, observed = cohort.numeric[spec.outcome], _observed(spec, cohort)
    codes = cohort.factors[spec.subject].codes
    if not observed.any():
        yield Problem(found="the outcome is missing in every row", expected="numbers", column=spec.outcome)
        return
    yield from _named(spec.outcome, np.isinf(y), "an infinite outcome", "a finite outcome, or none")
    yield from _named(spec.subject, observed & (codes < 0), "no subject", "a subject in every row with an outcome")
    yield from _companions(spec, cohort, observed)
    for name in filter(None, (spec.outcome, spec.time)):
        largest = float(np.abs(cohort.numeric[name][observed]).max())
        if np.isfinite(largest) and not (largest == 0 or 1 / _LARGEST <= largest <= _LARGEST):
            expected = f"{1 / _LARGEST:g} to {_LARGEST:g} in size"
            found = f"values of up to {largest:g}"
            yield Problem(found=found, expected=expected, column=name, advice="Use another unit.")
    if np.ptp(y[observed]) == 0:
        found = f"the outcome is {float(y[observed][0])!r} in every row"
        yield Problem(found=found, expected="an outcome that varies", column=spec.outcome)
    for role in ("covariates", "common", "membership"):
        yield from covariate_problems(role, getattr(spec, role), cohort, observed)


def _companions(spec: GbtmSpec, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    """Yield what is missing or out of range in the numbers that stand beside the outcome."""
    wrong = []
    for role, name in (("time", spec.time), ("trials", spec.trials), ("exposure", spec.exposure)):
        if name is not None:
            values = cohort.numeric[name]
            expected = f"a {role} in every row with an outcome"
            wrong.append((name, observed & np.isnan(values), f"no {role}", expected))
            wrong.append((name, observed & np.isinf(values), f"an infinite {role}", f"a finite {expected[2:]}"))
    for name in (spec.exposure, spec.weights):
        if name is not None:
            role = "exposure" if name == spec.exposure else "weight"
            not_positive = observed & ~(cohort.numeric[name] > 0) & ~np.isnan(cohort.numeric[name])
            wrong.append((name, not_positive, f"{role} <= 0", f"a {role} > 0 in every row with an outcome"))
    if spec.weights is not None:
        bad = observed & ~np.isfinite(cohort.numeric[spec.weights])
        wrong.append((spec.weights, bad, "no finite weight", "a weight in every row with an outcome"))
    for name, mask, what, expected in wrong:
        yield from _named(name, mask, what, expected)


def _named(column: str, mask: Mask, what: str, expected: str) -> Iterator[Problem]:
    if mask.any():
        rows = np.flatnonzero(mask) + 1
        named = ", ".join(map(str, rows[:_NAMED])) + (", ..." if len(rows) > _NAMED else "")
        yield Problem(found=f"{what} in {len(rows)} row(s): {named}", expected=expected, column=column)


def _values(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    """Yield outcomes that the family can't have; rows are those of the cohort."""
    trials = None if spec.trials is None else cohort.numeric[spec.trials]
    for problem in row_family(spec.family, cohort.numeric[spec.outcome], spec.limits, trials).problems():
        yield Problem(found=problem.found, expected=problem.expected, column=spec.outcome, advice=problem.advice)
    observed = _observed(spec, cohort)
    codes = cohort.factors[spec.subject].codes
    if spec.weights is not None:
        yield from _varying("weights", spec.weights, codes, cohort.numeric[spec.weights], observed)
    if spec.membership:
        found = covariates(spec.membership, cohort, np.flatnonzero(observed))
        for name, values in zip(found.names, found.values.T, strict=True):
            spread = np.full(len(observed), np.nan)
            spread[observed] = values
            yield from _varying("membership", name, codes, spread, observed)
    if spec.errors == "brownian" and spec.time is not None:
        negative = observed & (cohort.numeric[spec.time] < 0)
        yield from _named(spec.time, negative, "a time < 0", "times >= 0, from which a Brownian process begins")


def _varying(role: str, name: str, codes: Vector, values: Vector, observed: Mask) -> Iterator[Problem]:
    rows = np.flatnonzero(observed)
    order = rows[np.argsort(codes[rows], kind="stable")]
    same = codes[order][1:] == codes[order][:-1]
    changed = np.flatnonzero(same & (values[order][1:] != values[order][:-1]))
    if len(changed):
        at = sorted(int(row) + 1 for row in order[changed + 1])
        named = ", ".join(map(str, at[:_NAMED])) + (", ..." if len(at) > _NAMED else "")
        found = f"{role} {name!r} changes within a subject in row(s) {named}"
        yield Problem(found=found, expected="one value a subject", column=name)


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
    if spec.knots and not (time.min() < min(spec.knots) and max(spec.knots) < time.max()):
        expected = f"knots between {time.min():g} and {time.max():g}"
        yield Problem(found=f"knots {spec.knots!r}", expected=expected, column=spec.time or "time")
        return
    rows = np.flatnonzero(observed)
    half_range = np.ptp(time) / 2 or 1.0
    powers = np.vander((time - time.min()) / half_range - 1, max(spec.orders) + 1, increasing=True)
    both = np.column_stack([covariates(text, cohort, rows).values for text in (spec.covariates, spec.common)])
    yield from _dependent(spec, np.column_stack([powers, both]))
    if spec.membership:
        risk = covariates(spec.membership, cohort, rows).values
        yield from _dependent(spec, np.column_stack([np.ones(len(risk)), risk]), "risk factors")
    if spec.family == "gaussian":
        residuals = y - powers @ np.linalg.lstsq(powers, y, rcond=None)[0]
        # At this level what is left is rounding, and any sigma would be rounding too.
        if np.sqrt(np.mean(residuals**2)) <= 1e-12 * np.max(np.abs(y)):
            yield Problem(
                found=f"the outcome is an exact polynomial of {spec.time!r}, the same for every subject",
                expected="an outcome that varies between or within subjects",
                column=spec.outcome,
            )


def _dependent(spec: GbtmSpec, columns: Vector, what: str = "columns of time and covariates") -> Iterator[Problem]:
    scale = np.sqrt(np.mean(columns**2, axis=0))
    rank = int(np.linalg.matrix_rank(columns / np.where(scale > 0, scale, 1.0)))
    if rank < columns.shape[1]:
        yield Problem(
            found=f"{columns.shape[1]} {what} of rank {rank}",
            expected="columns that are linearly independent",
            column=spec.outcome,
            advice="Leave out a covariate that the others determine.",
        )
