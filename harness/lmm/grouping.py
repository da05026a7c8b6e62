"""The random effects of a design: for each term its columns, and to which level of its grouping each row belongs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.coding.columns import CodedTerm, Frame, code_terms, column_names, design_matrix
from harness.formula import RandomTerm
from harness.lmm.rows import combined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomDesign:
    """One random term: every level of `grouping` has effects (q,) with columns `Z` (n, q).

    `codes` (n,) index `labels`; of worker:machine these are the combinations that occur. `coded_terms` give Z of any
    other rows.
    """

    grouping: str
    names: tuple[str, ...]
    Z: Matrix
    codes: Codes
    labels: tuple[str, ...]
    correlated: bool
    coded_terms: tuple[CodedTerm, ...]

    @property
    def blocks(self) -> tuple[int, ...]:
        """Sizes of the diagonal blocks of its relative factor: one, or, without correlations, one an effect."""
        return (len(self.names),) if self.correlated else (1,) * len(self.names)


def random_designs(
    terms: Sequence[RandomTerm], frame: Frame, numeric: Mapping[str, Vector]
) -> tuple[RandomDesign, ...]:
    """Return the columns and the grouping of each random term; bases are trained on `numeric`."""
    found = []
    for term in terms:
        coded = code_terms(term.terms, intercept=term.intercept, levels=frame.levels, numeric=numeric)
        codes, labels = combined([(frame.codes[name], frame.levels[name]) for name in term.grouping])
        found.append(
            RandomDesign(
                grouping=term.subject,
                names=column_names(coded),
                Z=read_only(design_matrix(coded, frame)),
                codes=read_only(codes),
                labels=labels,
                correlated=term.correlated,
                coded_terms=coded,
            )
        )
    return tuple(found)


def side_by_side(random: Sequence[RandomDesign], n_rows: int) -> Matrix:
    """Return Z (n, q) of all terms."""
    if len(random) == 1:
        return random[0].Z
    return read_only(np.concatenate([np.empty((n_rows, 0)), *(one.Z for one in random)], axis=1))
