"""Which latent class of one engine is which of the other's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from harness.arrays import Matrix
from harness.comparison.log_odds import referred
from harness.comparison.yardstick import number
from harness.quantities import Reading

TIE = 1e-9
"""Two ways to match that differ by less than this share of the subjects are equally good."""

AMBIGUOUS = 0.01
"""A match that beats the next best by less than this (as a share of the subjects) could as well be another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A match of classes: `permutation` maps the right engine's labels to the left's; empty without classes.

    `evidence` names what was matched; `margin` is how much better the match is than the next best, per subject
    (per class if matched by curves).
    """

    permutation: Mapping[int, int]
    is_ambiguous: bool
    evidence: str
    margin: float

    @property
    def is_identity(self) -> bool:
        """Whether both engines number the classes alike."""
        return all(right == left for right, left in self.permutation.items())


def align(left: Reading, right: Reading) -> Alignment:
    """Return the match of latent classes with the largest overlap.

    Overlap is the sum over subjects of min(p_left, p_right) of the posterior probabilities; where an engine gives no
    posterior, closeness of shares and curves stands in. Equal labels are kept unless another match is better.
    """
    ours, theirs = _classes(left), _classes(right)
    if not ours or not theirs:
        return Alignment(permutation={g: g for g in theirs}, is_ambiguous=False, evidence="no classes", margin=0.0)
    overlap, evidence = _posterior_overlap(left, right, ours, theirs), "posterior probabilities"
    if overlap is None:
        overlap, evidence = _curve_overlap(left, right, ours, theirs), "class shares and curves"
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    best = float(overlap[rows, columns].sum())
    unchanged = [(ours.index(g), k) for k, g in enumerate(theirs) if g in ours]
    if len(unchanged) == len(rows) and sum(overlap[pair] for pair in unchanged) >= best - TIE:
        rows, columns = np.array([pair[0] for pair in unchanged]), np.array([pair[1] for pair in unchanged])
    margin = best - max(_without_one_pair(overlap, rows, columns), default=-np.inf)
    permutation = {theirs[column]: ours[row] for row, column in zip(rows, columns, strict=True)}
    spare = max(*ours, *theirs) + 1
    for g in theirs:  # classes that the left engine doesn't have get labels that it doesn't use
        if g not in permutation:
            permutation[g], spare = spare, spare + 1
    return Alignment(
        permutation=permutation, is_ambiguous=margin < AMBIGUOUS, evidence=evidence, margin=max(margin, 0.0)
    )


def relabelled(reading: Reading, permutation: Mapping[int, int]) -> Reading:
    """Return the reading with its latent classes renamed, in the quantities and in their covariance.

    Log-odds are against the class that has the label of the one they were against; see `referred`.
    """
    quantities = tuple(quantity.relabelled(permutation) for quantity in reading.quantities)
    covariance = reading.covariance
    if covariance is not None:
        names = {before.path: after.path for before, after in zip(reading.quantities, quantities, strict=True)}
        covariance = replace(covariance, paths=tuple(names.get(path, path) for path in covariance.paths))
    return referred(replace(reading, quantities=quantities, covariance=covariance), permutation)


def _classes(reading: Reading) -> list[int]:
    return sorted({q.latent_class for q in reading.quantities if q.latent_class is not None})


def _posterior_overlap(left: Reading, right: Reading, ours: list[int], theirs: list[int]) -> Matrix | None:
    """Return the mean over subjects of min(p, q) for each pair of classes (left, right); None without posteriors."""
    mine, yours = _by_class(left, ".posterior["), _by_class(right, ".posterior[")
    subjects = sorted(set.intersection(*(set(mine.get(g, {})) for g in ours), *(set(yours.get(h, {})) for h in theirs)))
    if not subjects:
        return None
    p = np.nan_to_num(np.array([[mine[g][subject] for subject in subjects] for g in ours]), posinf=0.0, neginf=0.0)
    q = np.nan_to_num(np.array([[yours[h][subject] for subject in subjects] for h in theirs]), posinf=0.0, neginf=0.0)
    overlap: Matrix = np.minimum(p[:, None, :], q[None, :, :]).mean(axis=2)
    return overlap


def _curve_overlap(left: Reading, right: Reading, ours: list[int], theirs: list[int]) -> Matrix:
    """Return minus the distance of shares and coefficients, each in units of its spread over all classes.

    A coefficient that a class lacks is zero: a line is a parabola without curvature.
    """
    mine, yours = _by_class(left, ".estimate"), _by_class(right, ".estimate")
    names = sorted({name for table in (mine, yours) for values in table.values() for name in values})
    classes = [mine.get(g, {}) for g in ours] + [yours.get(h, {}) for h in theirs]
    table = np.array([[values.get(name, 0.0) for name in names] for values in classes])
    table = np.nan_to_num(table, posinf=0.0, neginf=0.0)
    spread = np.ptp(table, axis=0)
    table = table / np.where(spread > 0, spread, 1.0)
    a, b = table[: len(ours)], table[len(ours) :]
    closeness: Matrix = -np.sqrt(np.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=2))
    return closeness


def _by_class(reading: Reading, marker: str) -> dict[int, dict[str, float]]:
    """Return the values of the class quantities whose path holds the marker, by class and the rest of the path."""
    table: dict[int, dict[str, float]] = {}
    for quantity in reading.quantities:
        if quantity.latent_class is not None and marker in quantity.path:
            name = quantity.path.split(".", 1)[1]
            table.setdefault(quantity.latent_class, {})[name] = number(quantity.value)
    return table


def _without_one_pair(overlap: Matrix, rows: Iterable[int], columns: Iterable[int]) -> Iterator[float]:
    """Yield the best overlap of all matches that avoid one pair of the chosen match, for each pair."""
    if overlap.size < 2:
        return
    forbidden = -1e6  # far below any overlap, so that the pair is taken only where there is no other match
    for row, column in zip(rows, columns, strict=True):
        other = overlap.copy()
        other[row, column] = forbidden
        total = float(other[linear_sum_assignment(other, maximize=True)].sum())
        if total > forbidden / 2:
            yield total
