"""From terms to columns, by R's rules (Chambers & Hastie 1992, section 2.3; R's ``model.matrix``)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.coding.bases import Basis, train_polynomial, train_spline
from harness.coding.codings import contrast_labels, contrasts
from harness.formula import Atom, Term

# Below this a table of cells is no shorter than the rows themselves.
_ROWS_A_CELL = 4
FUNCTIONS = {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "exp": np.exp}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The columns that a model uses, over the rows that it uses; `codes` index observed `levels` only."""

    n_rows: int
    numeric: Mapping[str, Vector]
    codes: Mapping[str, Codes]
    levels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoding:
    """How one atom becomes columns: a factor by `table` (a row a level), a number by `basis` or as it is.

    `names` are those of its columns.
    """

    atom: Atom
    names: tuple[str, ...]
    table: Matrix | None = None
    basis: Basis | None = None

    def columns(self, frame: Frame) -> Matrix:
        """Return the columns (n, k) over the rows of a frame."""
        if self.table is not None:
            return self.table[frame.codes[self.atom.column]]
        values = frame.numeric[self.atom.column]
        if self.basis is not None:
            return self.basis.columns(values)
        return atom_values(self.atom, values)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedTerm:
    """A term with the encoding of each of its atoms; without atoms it is the intercept."""

    term: Term
    encodings: tuple[Encoding, ...]

    @property
    def is_factorial(self) -> bool:
        """Whether its columns depend on factors only."""
        return all(encoding.table is not None for encoding in self.encodings)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns, such as ``week:protocol[six]``; the first atom's vary fastest, as in R."""
        if not self.encodings:
            return ("intercept",)
        return tuple(
            reduce(lambda done, more: [f"{a}:{b}" for b in more for a in done], (list(e.names) for e in self.encodings))
        )

    def columns(self, frame: Frame) -> Matrix:
        """Return its columns (n, k)."""
        if not self.encodings:
            return np.ones((frame.n_rows, 1))
        return reduce(_products, (encoding.columns(frame) for encoding in self.encodings))


class Cells(NamedTuple):
    """A matrix with few distinct rows: those of `table` (k, p), and `of` (n,) which of them each row is."""

    table: Matrix
    of: Codes

    @property
    def rows(self) -> Matrix:
        """The whole matrix (n, p)."""
        return np.take(self.table, self.of, axis=0)


def code_terms(
    terms: Sequence[Term], *, intercept: bool, levels: Mapping[str, tuple[str, ...]], numeric: Mapping[str, Vector]
) -> tuple[CodedTerm, ...]:
    """Return the encoding of the intercept and of each term, by R's rule.

    A factor is coded by contrasts if the term without it lies within an earlier term (or is empty), else in full;
    without an intercept, the first factor of the first term that has one is coded in full. Bases are trained on all
    rows of `numeric` that have a value, those without an outcome too, as R does.
    """
    coded = [CodedTerm(term=(), encodings=())] if intercept else []
    made: dict[tuple[Atom, bool], Encoding] = {}
    first = not intercept
    for position, term in enumerate(terms):
        encodings = []
        for atom in term:
            in_full = atom.column in levels and (first or _in_full(atom, term, terms[:position]))
            first = first and atom.column not in levels
            if (atom, in_full) not in made:
                made[atom, in_full] = (
                    _factor_encoding(atom, levels[atom.column], in_full=in_full)
                    if atom.column in levels
                    else _numeric_encoding(atom, numeric[atom.column])
                )
            encodings.append(made[atom, in_full])
        coded.append(CodedTerm(term=term, encodings=tuple(encodings)))
    return tuple(coded)


def column_names(coded: Sequence[CodedTerm]) -> tuple[str, ...]:
    """Return the names of the columns of `design_matrix`."""
    return tuple(name for one in coded for name in one.names)


def design_matrix(coded: Sequence[CodedTerm], frame: Frame) -> Matrix:
    """Return the matrix (n, p) of the terms; in an interaction the first factor's levels vary fastest, as in R."""
    factorial = [one for one in coded if one.is_factorial]
    cells = tabulated(factorial, frame)
    if cells is None:
        return _side_by_side([one.columns(frame) for one in coded], frame.n_rows)
    gathered = cells.rows
    if len(factorial) == len(coded):
        return gathered
    ends = np.cumsum([len(one.names) for one in factorial])
    own = iter(np.split(gathered, ends[:-1], axis=1))
    return _side_by_side([next(own) if one.is_factorial else one.columns(frame) for one in coded], frame.n_rows)


def tabulated(coded: Sequence[CodedTerm], frame: Frame) -> Cells | None:
    """Return the matrix of terms of factors, or None where others are among them or cells are many."""
    names = tuple(dict.fromkeys(atom.column for one in coded for atom in one.term))
    if not names or not all(one.is_factorial for one in coded):
        return None
    sizes = tuple(len(frame.levels[name]) for name in names)
    n_cells = math.prod(sizes)
    if n_cells * _ROWS_A_CELL > frame.n_rows:
        return None
    grid = np.unravel_index(np.arange(n_cells), sizes)
    crossed = Frame(n_rows=n_cells, numeric={}, codes=dict(zip(names, grid, strict=True)), levels=frame.levels)
    return Cells(
        table=_side_by_side([one.columns(crossed) for one in coded], n_cells),
        of=np.ravel_multi_index(tuple(frame.codes[name] for name in names), sizes),
    )


def atom_values(atom: Atom, values: Vector) -> Vector:
    """Return a numeric column's power or function."""
    if atom.function in FUNCTIONS:
        return FUNCTIONS[atom.function](values)
    return values if atom.power == 1 else values**atom.power


def _in_full(atom: Atom, term: Term, earlier: Sequence[Term]) -> bool:
    rest = [other for other in term if other != atom]
    return bool(rest) and not any(all(other in before for other in rest) for before in earlier)


def _numeric_encoding(atom: Atom, values: Vector) -> Encoding:
    if atom.function not in {"poly", "ns"}:
        return Encoding(atom=atom, names=(str(atom),))
    known = values[~np.isnan(values)]
    basis = train_polynomial(known, atom.size) if atom.function == "poly" else train_spline(known, atom.size)
    return Encoding(atom=atom, names=tuple(f"{atom}[{k}]" for k in range(1, atom.size + 1)), basis=basis)


def _factor_encoding(atom: Atom, levels: tuple[str, ...], *, in_full: bool) -> Encoding:
    coding = atom.coding or "treatment"
    table = np.eye(len(levels)) if in_full else contrasts(coding, len(levels))
    labels = levels if in_full else contrast_labels(coding, levels)
    written = str(atom)
    return Encoding(atom=atom, names=tuple(f"{written}[{label}]" for label in labels), table=read_only(table))


def _side_by_side(parts: Sequence[Matrix], n_rows: int) -> Matrix:
    return np.concatenate(parts, axis=1) if parts else np.empty((n_rows, 0))


def _products(left: Matrix, right: Matrix) -> Matrix:
    return np.asarray((right[:, :, None] * left[:, None, :]).reshape(len(left), -1))
