"""Whether one trajectory model is a special case of another, and what that does to the test between them."""

from collections.abc import Iterator
from itertools import chain, permutations

import numpy as np

from harness.arrays import Matrix
from harness.gbtm.design import ClassKind, GbtmDesign, Outcome
from harness.gbtm.spec import GbtmSpec

_SPANNED = 1e-8
"""A column belongs to a span if what sticks out is below this share of its length."""

_MOST_PERMUTED = 7


def differences(smaller: GbtmDesign, larger: GbtmDesign) -> Iterator[str]:
    """Yield why two models are not of the same data, or the smaller one is no special case of the larger one."""
    if not _same_data(smaller, larger):
        yield "other rows, outcomes, subjects or weights"
        return
    for first, second in zip(smaller.outcomes, larger.outcomes, strict=True):
        yield from _of_outcome(first, second)
    if not _kinds_nested(smaller, larger):
        yield "orders that no assignment of the classes makes smaller"
    if _outside(smaller.subjects.membership.values, _with_one(larger.subjects.membership.values)):
        yield "risk factors of the classes that the larger model does not have"


def at_bounds(smaller: GbtmSpec, larger: GbtmSpec) -> Iterator[str]:
    """Yield what of the larger model sits at a bound where it equals the smaller one."""
    if larger.random is not None and (smaller.random is None or smaller.random < larger.random):
        yield "a variance of random effects"
    if larger.errors != "independent" and smaller.errors == "independent":
        yield "the variance of a process in the errors"
    if larger.family == "zip" and _zero_orders(smaller).count(-1) > _zero_orders(larger).count(-1):
        yield "the share of extra zeros"


def _same_data(smaller: GbtmDesign, larger: GbtmDesign) -> bool:
    if len(smaller.outcomes) != len(larger.outcomes) or smaller.subject_labels != larger.subject_labels:
        return False
    if not np.array_equal(smaller.subjects.weights, larger.subjects.weights):
        return False
    pairs = zip(smaller.outcomes, larger.outcomes, strict=True)
    return all(_same_rows(first, second) for first, second in pairs)


def _same_rows(first: Outcome, second: Outcome) -> bool:
    mine, theirs = first.rows, second.rows
    if first.spec.outcome != second.spec.outcome or not np.array_equal(mine.panel.subject, theirs.panel.subject):
        return False
    numbers = ((mine.y, theirs.y), (mine.time, theirs.time), (mine.offset, theirs.offset))
    trials = [None if rows.trials is None else rows.trials.tolist() for rows in (mine, theirs)]
    return all(np.array_equal(a, b) for a, b in numbers) and trials[0] == trials[1]


def _of_outcome(first: Outcome, second: Outcome) -> Iterator[str]:
    smaller, larger = first.spec, second.spec
    if smaller.family != larger.family and (smaller.family, larger.family) != ("poisson", "zip"):
        yield f"families {smaller.family} and {larger.family}"
    if smaller.limits != larger.limits:
        yield f"limits {smaller.limits} and {larger.limits}"
    if smaller.sigma not in {larger.sigma, "shared"}:
        yield f"a sigma by {smaller.sigma} that the larger model does not have"
    if smaller.knots != larger.knots and max(smaller.orders) > 1:
        yield f"knots {smaller.knots} and {larger.knots}"
    if _outside(first.rows.covariates.values, _with_one(second.rows.covariates.values)):
        yield "covariates by class that the larger model does not have"
    both = np.column_stack([second.rows.covariates.values, second.rows.common.values])
    if _outside(first.rows.common.values, _with_one(both)):
        yield "common covariates that the larger model does not have"
    yield from _within_class(smaller, larger)
    if (smaller.dropout is None) != (larger.dropout is None):
        yield "a dropout model in one of them: their likelihoods are of different data"


def _within_class(smaller: GbtmSpec, larger: GbtmSpec) -> Iterator[str]:
    if smaller.random is not None:
        if larger.random is None or larger.random < smaller.random:
            yield "random effects that the larger model does not have"
        elif smaller.random_covariance == "full" and smaller.random > 0 and larger.random_covariance == "diagonal":
            yield "covariances of random effects that the larger model does not have"
        if smaller.random_scale == "class" and larger.random_scale == "common":
            yield "scales of random effects by class that the larger model does not have"
    if smaller.errors not in {"independent", larger.errors}:
        yield f"errors of the kind {smaller.errors} that the larger model does not have"


def _kinds_nested(smaller: GbtmDesign, larger: GbtmDesign) -> bool:
    """Return whether the classes can be matched so that no order of the smaller model is above that of the larger."""
    mine, theirs = _orders(smaller), _orders(larger)
    if len(mine) > _MOST_PERMUTED:
        return all(_below(a, b) for a, b in zip(sorted(mine), sorted(theirs), strict=True))
    return any(all(_below(a, b) for a, b in zip(mine, other, strict=True)) for other in permutations(theirs))


def _orders(design: GbtmDesign) -> tuple[ClassKind, ...]:
    """Return, by class, what its orders are in every outcome; -1 for the extra zeros of a family without."""
    by_outcome = [
        zip(spec.orders, _zero_orders(spec), spec.dropout or (0,) * spec.n_classes, strict=True)
        for spec in (outcome.spec for outcome in design.outcomes)
    ]
    return tuple(tuple(chain.from_iterable(kinds)) for kinds in zip(*by_outcome, strict=True))


def _zero_orders(spec: GbtmSpec) -> tuple[int, ...]:
    if spec.family != "zip":
        return (-1,) * spec.n_classes
    return (0,) * spec.n_classes if spec.zero_orders is None else spec.zero_orders


def _below(mine: ClassKind, theirs: ClassKind) -> bool:
    return all(a <= b for a, b in zip(mine, theirs, strict=True))


def _with_one(columns: Matrix) -> Matrix:
    return np.column_stack([np.ones(len(columns)), columns])


def _outside(columns: Matrix, span: Matrix) -> bool:
    """Return whether any column (n, k) is no linear combination of those of span (n, p)."""
    if not columns.shape[1]:
        return False
    units = np.linalg.norm(span, axis=0)
    Q = np.linalg.svd(span / np.where(units > 0, units, 1.0), full_matrices=False)[0]
    left = columns - Q @ (Q.T @ columns)
    return bool(np.any(np.linalg.norm(left, axis=0) > _SPANNED * np.linalg.norm(columns, axis=0)))
