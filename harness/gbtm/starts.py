"""Where searches begin: several kinds of starts, each with a random stream of its own.

Every start is a set of class probabilities (K, N), the classes in the order of their mean curve. The stream of start s
depends on the seed and on s alone, so a start is the same however many others there are and however they are batched.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import ndtri

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector
from harness.gbtm.design import ClassKind, GbtmDesign, slots

KINDS = ("noisy ranks", "k-means", "random subjects", "noisy ranks", "quantiles", "random partition")
"""Kinds in turn. Ranks of subject means with noise find ordered classes, k-means of subject curves finds shapes, curves
of random subjects find small classes, quantile intercepts are what traj does, random partitions what flexmix does."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Starts:
    """S starts: how drawn, which kind of class each rank got, class probabilities (S, K, N) by class of the spec."""

    kinds: tuple[str, ...]
    assignments: tuple[tuple[ClassKind, ...], ...]
    posterior: Tensor


def kind_assignments(kinds: tuple[ClassKind, ...]) -> tuple[tuple[ClassKind, ...], ...]:
    """Return the distinct ways to give the kinds to the classes, from the lowest to the highest mean curve."""
    if not kinds:
        return ((),)
    rest = {kind: kinds[: (at := kinds.index(kind))] + kinds[at + 1 :] for kind in sorted(set(kinds))}
    return tuple((kind, *others) for kind in rest for others in kind_assignments(rest[kind]))


def draw_starts(design: GbtmDesign, first: int, count: int) -> Starts:
    """Return starts number `first`, ..., `first + count - 1` of the design's seed."""
    K, of_spec = design.n_classes, design.class_kinds
    assignments = kind_assignments(of_spec)
    curves = design.curves
    places = {assignment: slots(of_spec, assignment) for assignment in assignments}
    kinds, chosen, found = [], [], np.empty((count, K, design.n_subjects))
    for s in range(first, first + count):
        # A kind meets every assignment before it changes; else some pairs would never meet.
        kind, assignment = KINDS[(s // len(assignments)) % len(KINDS)], assignments[s % len(assignments)]
        stream = np.random.default_rng(np.random.SeedSequence(design.spec.seed, spawn_key=(s,)))
        posterior = _DRAW[kind](curves, design, stream)
        by_mean = np.argsort(posterior @ curves[:, 0] / np.maximum(posterior.sum(axis=1), 1e-300), kind="stable")
        found[s - first, places[assignment]] = posterior[by_mean]
        kinds.append(kind)
        chosen.append(assignment)
    return Starts(kinds=tuple(kinds), assignments=tuple(chosen), posterior=found)


def _hard(labels: Codes, K: int) -> Matrix:
    return np.asarray((labels == np.arange(K)[:, None]).astype(np.float64))


def _noisy_ranks(curves: Matrix, design: GbtmDesign, stream: np.random.Generator) -> Matrix:
    K, N = design.n_classes, len(curves)
    means = design.means
    noise = stream.uniform(0.05, 1.0) * means.std()
    ranks = np.argsort(np.argsort(means + noise * stream.standard_normal(N)))
    # Unequal cuts: classes are rarely of one size.
    cuts = np.cumsum(stream.dirichlet(np.full(K, 4.0)))[:-1] * N
    return _hard(np.searchsorted(cuts, ranks, side="right"), K)


def _k_means(curves: Matrix, design: GbtmDesign, stream: np.random.Generator, rounds: int = 6) -> Matrix:
    K = design.n_classes
    # A random weight for each shape, so that levels and slopes take turns in leading the partition.
    points = curves / np.maximum(curves.std(axis=0), 1e-12) * stream.uniform(0.2, 1.0, curves.shape[1])
    centres = points[stream.choice(len(points), K, replace=False)]
    members = _nearest(points, centres)
    for _ in range(rounds):
        sizes = members.sum(axis=1, keepdims=True)
        centres = np.where(sizes > 0, members @ points / np.maximum(sizes, 1.0), centres)
        before, members = members, _nearest(points, centres)
        if np.array_equal(before, members):
            break
    return members


def _nearest(points: Matrix, centres: Matrix) -> Matrix:
    # The squared distance less what all centres have in common, halved.
    apart = np.sum(centres**2, axis=1, keepdims=True) / 2 - centres @ points.T
    return _hard(apart.argmin(axis=0), len(centres))


def _random_subjects(curves: Matrix, design: GbtmDesign, stream: np.random.Generator) -> Matrix:
    return _k_means(curves, design, stream, rounds=0)


def _quantiles(_curves: Matrix, design: GbtmDesign, stream: np.random.Generator) -> Matrix:
    K = design.n_classes
    means = design.means
    levels = (2 * np.arange(1, K + 1) - 1) / (2 * K)
    intercepts = means.mean() + means.std() * (ndtri(levels) + 0.3 * stream.standard_normal(K))
    return _nearest(means[:, None], np.sort(intercepts)[:, None])


def _random_partition(curves: Matrix, design: GbtmDesign, stream: np.random.Generator) -> Matrix:
    return _hard(stream.integers(design.n_classes, size=len(curves)), design.n_classes)


_DRAW = {
    "noisy ranks": _noisy_ranks,
    "k-means": _k_means,
    "random subjects": _random_subjects,
    "quantiles": _quantiles,
    "random partition": _random_partition,
}


def split_starts(posterior: Matrix, slot_of_class: Codes, design: GbtmDesign) -> Tensor:
    """Return starts that split each class of a model with one class less (K-1, N) in two, (2(K-1), K, N).

    The second half goes to the slot that the smaller model lacks. A class is split once by level and once at random
    between equal halves; the latter begins where the smaller model ended, so the larger one can't end below it.
    """
    K = design.n_classes
    means = design.means
    spare = int(np.setdiff1d(np.arange(K), slot_of_class)[0])
    found = []
    for g, slot in enumerate(slot_of_class):
        level = _weighted_mean(means, posterior[g])
        for share in (means > level, 0.5 + 1e-3 * np.sign(means - level)):
            start = np.empty((K, len(means)))
            start[slot_of_class] = posterior
            start[spare] = posterior[g] * share
            start[slot] = posterior[g] * (1 - share)
            found.append(start)
    return np.array(found)


def merged_starts(posterior: Matrix, kinds: tuple[ClassKind, ...], design: GbtmDesign) -> Tensor:
    """Return starts that merge two classes of a model with one class more (K+1, N), (K (K+1) / 2, K, N).

    The pair takes the kind of one of the two, so that what is left are the kinds of the design.
    """
    found = []
    for kept, gone in combinations(range(len(kinds)), 2):
        for g, h in ((kept, gone), (gone, kept)):
            rest = tuple(kind for k, kind in enumerate(kinds) if k != h)
            if sorted(rest) == sorted(design.class_kinds):
                start = np.empty((design.n_classes, posterior.shape[1]))
                merged = posterior.copy()
                merged[g] += posterior[h]
                start[slots(design.class_kinds, rest)] = np.delete(merged, h, axis=0)
                found.append(start)
                break
    return np.array(found).reshape(-1, design.n_classes, posterior.shape[1])


def exchange_starts(posterior: Matrix, design: GbtmDesign) -> Tensor:
    """Return starts around an optimum (K, N), (K (K-1) (K-2) / 2, K, N): two classes merged, a third split in two.

    The moves of Ueda et al. (2000): they lead out of optima that no small change improves, in which one class stands
    for two and two for one. A class is split across the direction in which its subjects' curves vary most.
    """
    K = design.n_classes
    curves = design.curves
    halves = [_upper_half(curves, weights) for weights in posterior]
    found = []
    for kept, freed in combinations(range(K), 2):
        for g in (g for g in range(K) if g not in {kept, freed}):
            above = halves[g]
            start = posterior.copy()
            start[kept] += posterior[freed]
            start[freed] = posterior[g] * above
            start[g] = posterior[g] * ~above
            found.append(start)
    return np.array(found).reshape(-1, *posterior.shape)


def _upper_half(curves: Matrix, weights: Vector) -> Mask:
    centred = curves - weights @ curves / max(float(weights.sum()), 1e-300)
    _, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    return np.asarray(centred @ axes[:, -1] > 0)


def _weighted_mean(values: Vector, weights: Vector) -> float:
    return float(values @ weights / max(float(weights.sum()), 1e-300))
