"""Whether one model is a special case of another, as far as their designs can tell, and what that does to the test."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix
from harness.formula import ResidualTerm
from harness.lmm.design import LmmDesign

# A column belongs to a span if what sticks out is below this share of its length.
_SPANNED = 1e-8

# Residual structures of which each is a special case: equal parameters give the smaller one.
_LARGER_STRUCTURES = {
    "cs": {"csh", "toep", "toeph", "us"},
    "csh": {"toeph", "us"},
    "ar1": {"ar1h", "toep", "toeph", "ad", "adh", "us"},
    "ar1h": {"toeph", "adh", "us"},
    "toep": {"toeph", "us"},
    "toeph": {"us"},
    "ad": {"adh", "us"},
    "adh": {"us"},
    "us": set[str](),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Random effects that vary together: their columns Z (n, k) and what they are grouped by."""

    grouping: str
    Z: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Aligned:
    """Two designs' fixed columns and blocks of random effects, over the same rows in the same order."""

    X: tuple[Matrix, Matrix]
    blocks: tuple[list[Block], list[Block]]


def aligned(smaller: LmmDesign, larger: LmmDesign) -> Aligned | None:
    """Return the designs row by row beside each other, or None if they don't use the same rows of one cohort."""
    rows = matched_rows(smaller, larger)
    if rows is None:
        return None
    first, second = rows
    return Aligned(
        X=(smaller.X[first], larger.X[second]),
        blocks=([*_blocks(smaller, first)], [*_blocks(larger, second)]),
    )


def matched_rows(smaller: LmmDesign, larger: LmmDesign) -> tuple[Codes, Codes] | None:
    """Return the two designs' own numbers of the same rows (n,), (n,), or None if they don't use the same ones.

    Rows are matched by all columns that both models name; rows equal in all of these are equal in the smaller model.
    """
    if smaller.n_observations != larger.n_observations:
        return None
    (mine, labels), (theirs, other_labels) = _keys(smaller, larger), _keys(larger, smaller)
    if labels != other_labels:
        return None
    first, second = np.lexsort(mine[::-1]), np.lexsort(theirs[::-1])
    same = (np.array_equal(a[first], b[second]) for a, b in zip(mine, theirs, strict=True))
    return (first, second) if all(same) else None


def outside(columns: Matrix, span: Matrix) -> Codes:
    """Return which columns (n, k) are not linear combinations of those of span (n, p)."""
    units = np.linalg.norm(span, axis=0)
    Q, R = np.linalg.qr(span / np.where(units > 0, units, 1.0))
    if np.abs(np.diag(R)).min(initial=1.0) < _SPANNED:
        Q = np.linalg.svd(span / np.where(units > 0, units, 1.0), full_matrices=False)[0]
    left = columns - Q @ (Q.T @ columns)
    return np.flatnonzero(np.linalg.norm(left, axis=0) > _SPANNED * np.linalg.norm(columns, axis=0))


def same_span(first: Matrix, second: Matrix) -> bool:
    """Return whether two sets of columns span the same space."""
    return first.shape[1] == second.shape[1] and len(outside(first, second)) == 0


def random_part_nested(pair: Aligned) -> bool:
    """Return whether each block of the smaller model lies within a block of the larger one with the same grouping."""
    return all(any(_within(block, other) for other in pair.blocks[1]) for block in pair.blocks[0])


def residual_part_nested(smaller: ResidualTerm | None, larger: ResidualTerm | None) -> bool | None:
    """Return whether the residual structure is a special case of the other one; None if that can't be told."""
    if smaller == larger:
        return True
    if larger is None:
        return False
    if smaller is None:
        return None
    if (smaller.visit, smaller.subject) != (larger.visit, larger.subject) or smaller.by not in {None, larger.by}:
        return None
    if "car1" in {smaller.structure, larger.structure}:
        return True if smaller.structure == larger.structure else None
    return smaller.structure == larger.structure or larger.structure in _LARGER_STRUCTURES[smaller.structure]


def new_variances(pair: Aligned) -> int:
    """Return how many more random effects the larger model has."""
    smaller, larger = (sum(block.Z.shape[1] for block in blocks) for blocks in pair.blocks)
    return int(larger - smaller)


def joined_block(pair: Aligned) -> int | None:
    """Return with how many effects the only new random effect of the larger model covaries.

    None unless the models differ in exactly one random effect, all with one grouping factor, and in nothing else: then
    its variance is on its bound under the smaller model, and all else is not.
    """
    smaller, larger = pair.blocks
    groupings = {block.grouping for block in (*smaller, *larger)}
    if len(groupings) != 1 or new_variances(pair) != 1 or not smaller or not same_span(*pair.X):
        return None
    left = list(larger)
    unmatched = []
    for block in smaller:
        equal = next((other for other in left if same_span(block.Z, other.Z)), None)
        if equal is None:
            unmatched.append(block)
        else:
            left = [other for other in left if other is not equal]
    if len(left) != 1:
        return None
    if not unmatched:
        return 0
    grown = left[0]
    fits = len(unmatched) == 1 and _within(unmatched[0], grown) and grown.Z.shape[1] == unmatched[0].Z.shape[1] + 1
    return unmatched[0].Z.shape[1] if fits else None


def _within(block: Block, other: Block) -> bool:
    return block.grouping == other.grouping and len(outside(block.Z, other.Z)) == 0


def _blocks(design: LmmDesign, rows: Codes) -> Iterator[Block]:
    for one in design.random:
        start = 0
        for size in one.blocks:
            yield Block(grouping=one.grouping, Z=one.Z[rows, start : start + size])
            start += size


def _keys(design: LmmDesign, other: LmmDesign) -> tuple[list[np.ndarray], list[tuple[str, ...]]]:
    """Return the columns that both models name, with y and weights, and the levels of those that are factors."""
    mine, theirs = design.frame, other.frame
    numbers = sorted(mine.numeric.keys() & theirs.numeric.keys())
    factors = sorted(mine.codes.keys() & theirs.codes.keys())
    weights = np.ones(design.n_observations) if design.weights is None else design.weights
    columns = [*(mine.codes[name] for name in factors), *(mine.numeric[name] for name in numbers), weights, design.y]
    return columns, [mine.levels[name] for name in factors]
