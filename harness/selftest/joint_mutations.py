"""What no number shows by itself: differences that only the whole has."""

from collections.abc import Iterator

import numpy as np

from harness.comparison.joint import DISTANCE
from harness.comparison.tolerances import Measure
from harness.comparison.verdict import Outcome
from harness.comparison.yardstick import LOG_LIKELIHOOD, number
from harness.quantities import Kind, Value
from harness.selftest.mutation import Corruption, Mutation
from harness.selftest.numbers import Number, with_numbers
from harness.selftest.pinned import Pinned, relabelled_path

LEAST_EIGENVALUE = 1e-6
"""Of the correlations of the estimates; below it a direction is no honest difference of two optima."""


def _along_the_best_known_direction(pinned: Pinned) -> Iterator[Corruption]:
    """Yield all estimates moved together by D of twice its limit, along what the data know best.

    Correlated estimates may each move by a small part of their own standard errors and yet leave the optimum.
    """
    covariance = pinned.comparison.left.covariance
    judged = next((v for v in pinned.comparison.verdicts if v.quantity == DISTANCE), None)
    if covariance is None or judged is None or judged.metric != Measure.DISTANCE or judged.limit is None:
        return
    if judged.outcome is not Outcome.AGREE:
        return
    place = {path: k for k, path in enumerate(covariance.paths)}
    both = [(each, place[name]) for each in pinned.numbers if (name := _ours(pinned, each)) in place]
    if not both:
        return
    rows = [row for _, row in both]
    matrix = covariance.matrix[np.ix_(rows, rows)]
    free = np.diag(matrix) > 0
    moving = [each for (each, _), moves in zip(both, free, strict=True) if moves]
    if not moving:
        return
    matrix = matrix[np.ix_(free, free)]
    errors = np.sqrt(np.diag(matrix))
    eigenvalues, vectors = np.linalg.eigh(matrix / np.outer(errors, errors))
    regular = np.flatnonzero(eigenvalues > LEAST_EIGENVALUE)
    if not len(regular):
        return
    along = errors * vectors[:, regular[0]] * np.sqrt(eigenvalues[regular[0]]) * 2 * judged.limit
    wrong: dict[str, Value] = {
        each.path: number(each.ours if each.ours is not None else each.value) + float(step)
        for each, step in zip(moving, along, strict=True)
    }
    yield Corruption(paths=(DISTANCE,), right=with_numbers(pinned.reading, wrong))


def _ours(pinned: Pinned, each: Number) -> str:
    return relabelled_path(each.path, pinned.comparison.permutation)


def _another_optimum(pinned: Pinned) -> Iterator[Corruption]:
    """Yield the same estimates with a log-likelihood that is lower by one."""
    for each in pinned.numbers:
        if each.path == LOG_LIKELIHOOD and each.kind is Kind.OPTIMUM:
            wrong: dict[str, Value] = {LOG_LIKELIHOOD: number(each.value) - 1.0}
            yield Corruption(paths=(LOG_LIKELIHOOD,), right=with_numbers(pinned.reading, wrong))


JOINT_MUTATIONS = (
    Mutation(
        name="all estimates together",
        sentence="The estimates lie together twice the limit of D away, along what the data know best.",
        corruptions=_along_the_best_known_direction,
    ),
    Mutation(
        name="a lower optimum",
        sentence="The log-likelihood at the same estimates is lower by one.",
        corruptions=_another_optimum,
    ),
)
"""What may go wrong between numbers."""
