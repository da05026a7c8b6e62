"""Why a model of several outcomes can't be fitted to a cohort: every reason at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.arrays import Codes, Vector
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError
from harness.gbtm.checks import refuse_all
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.terms import covariates

_NAMED = 5


def refuse_several(specs: Sequence[GbtmSpec], cohort: Cohort, *, same_classes: bool) -> None:
    """Raise a SpecError with all problems of a model of several outcomes, if there are any.

    Parameters
    ----------
    specs
        One an outcome.
    cohort
        With their columns.
    same_classes
        Whether the outcomes share one class variable, so that all need as many orders.
    """
    problems = list(_of_outcomes(specs, same_classes=same_classes))
    try:
        refuse_all(specs, cohort)
    except SpecError as error:
        problems += error.problems
    if not problems:
        problems += _between_outcomes(specs, cohort)
        problems += [] if same_classes else _without_common_subjects(specs, cohort)
    if problems:
        named = ", ".join(repr(spec.outcome) for spec in specs)
        raise SpecError(f"trajectory model of {named} in cohort {cohort.name!r}", problems)


def _of_outcomes(specs: Sequence[GbtmSpec], *, same_classes: bool) -> Iterator[Problem]:
    if not specs:
        yield Problem(found="no outcomes", expected="at least one outcome model")
    names = [spec.outcome for spec in specs]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Problem(found=f"outcome {name!r} {names.count(name)} times", expected="each outcome once")
    counts = dict.fromkeys(spec.n_classes for spec in specs)
    if same_classes and len(counts) > 1:
        found = ", ".join(f"{spec.n_classes} order(s) for {spec.outcome!r}" for spec in specs)
        yield Problem(found=found, expected="one order for each class in every outcome, as all share the classes")


def _between_outcomes(specs: Sequence[GbtmSpec], cohort: Cohort) -> Iterator[Problem]:
    """Yield weights and risk factors that change within a subject, from rows with one outcome to rows with another."""
    first = specs[0]
    observed = np.any([~np.isnan(cohort.numeric[spec.outcome]) for spec in specs], axis=0)
    rows = np.flatnonzero(observed)
    columns: dict[str, Vector] = {}
    if first.weights is not None:
        columns[first.weights] = cohort.numeric[first.weights][rows]
    if first.membership:
        found = covariates(first.membership, cohort, rows)
        columns |= dict(zip(found.names, found.values.T, strict=True))
    codes = cohort.factors[first.subject].codes[rows]
    for name, values in columns.items():
        changed = _changes(codes, values)
        if len(changed):
            at = sorted(int(row) + 1 for row in rows[changed])
            named = ", ".join(map(str, at[:_NAMED])) + (", ..." if len(at) > _NAMED else "")
            found_here = f"{name!r} changes within a subject in row(s) {named}"
            yield Problem(found=found_here, expected="one value a subject", column=name)


def _without_common_subjects(specs: Sequence[GbtmSpec], cohort: Cohort) -> Iterator[Problem]:
    """Yield that no subject has two outcomes with classes of their own, so that nothing tells how these go together."""
    codes = cohort.factors[specs[0].subject].codes
    having = [set(codes[~np.isnan(cohort.numeric[spec.outcome])].tolist()) for spec in specs]
    if all(spec.n_classes > 1 for spec in specs) and not set.intersection(*having):
        named = " and ".join(repr(spec.outcome) for spec in specs)
        expected = "some who do, who tell how the classes go together"
        yield Problem(found=f"no subject with both {named}", expected=expected, advice="Fit each outcome alone.")


def _changes(codes: Codes, values: Vector) -> Codes:
    """Return the places at which a value differs from the one before it of the same subject."""
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    changed = np.flatnonzero(same & (values[order][1:] != values[order][:-1]))
    return np.asarray(order[changed + 1], dtype=np.int64)
