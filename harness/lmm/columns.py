"""From terms to columns: R's treatment coding (Chambers & Hastie 1992, section 2.3; R's ``model.matrix``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from harness.arrays import Codes, Matrix, Vector
from harness.formula import Atom, Term

FUNCTIONS = {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "exp": np.exp}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The columns that a model uses, over the rows that it uses; `codes` index observed `levels` only."""

    n_rows: int
    numeric: Mapping[str, Vector]
    codes: Mapping[str, Codes]
    levels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedTerm:
    """A term and, for each of its factors, the first level that gets a column: 1 by contrasts, 0 in full."""

    term: Term
    first_levels: Mapping[Atom, int]


def code_terms(
    terms: Sequence[Term], *, intercept: bool, factors: Mapping[str, tuple[str, ...]]
) -> tuple[CodedTerm, ...]:
    """Return how each term's factors are coded, by R's rule.

    A factor is coded by contrasts if the term without it lies within an earlier term (or is empty), else in full;
    without an intercept, the first factor of the first term that has one is coded in full.
    """
    coded: list[CodedTerm] = []
    for position, term in enumerate(terms):
        first_levels = {}
        for atom in (atom for atom in term if atom.column in factors):
            rest = set(term) - {atom}
            first_levels[atom] = int(not rest or any(rest <= set(earlier) for earlier in terms[:position]))
        if first_levels and not intercept and not any(before.first_levels for before in coded):
            first_levels[next(iter(first_levels))] = 0
        coded.append(CodedTerm(term=term, first_levels=first_levels))
    return tuple(coded)


def column_names(
    coded: Sequence[CodedTerm], levels: Mapping[str, tuple[str, ...]], *, intercept: bool
) -> tuple[str, ...]:
    """Return the names of the columns of `design_matrix`, such as ``week:protocol[six]``."""
    names = ["intercept"] if intercept else []
    for one in coded:
        written = [[""]]
        for atom in one.term:
            first = one.first_levels.get(atom)
            written.append(
                [str(atom)] if first is None else [f"{atom}[{level}]" for level in levels[atom.column][first:]]
            )
        names += reduce(lambda done, more: [f"{a}:{b}" if a else b for b in more for a in done], written)
    return tuple(names)


def design_matrix(coded: Sequence[CodedTerm], frame: Frame, *, intercept: bool) -> Matrix:
    """Return the matrix (n, p) of the terms; in an interaction the first factor's levels vary fastest, as in R."""
    columns: list[Vector] = [np.ones(frame.n_rows)] if intercept else []
    for one in coded:
        products: list[Vector] = []
        for atom in one.term:
            own = _atom_columns(atom, one.first_levels.get(atom), frame)
            products = [a * b for b in own for a in products] if products else own
        columns += products
    return np.column_stack(columns) if columns else np.empty((frame.n_rows, 0))


def atom_values(atom: Atom, values: Vector) -> Vector:
    """Return a numeric column's power or function."""
    if atom.function != "identity":
        return FUNCTIONS[atom.function](values)
    return values if atom.power == 1 else values**atom.power


def _atom_columns(atom: Atom, first_level: int | None, frame: Frame) -> list[Vector]:
    if first_level is None:
        return [atom_values(atom, frame.numeric[atom.column])]
    codes = frame.codes[atom.column]
    return [(codes == level).astype(float) for level in range(first_level, len(frame.levels[atom.column]))]
