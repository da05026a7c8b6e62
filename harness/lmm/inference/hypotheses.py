"""What a test of a whole term tests: hypotheses of type I (sequential), II and III, as SAS and lmerTest define them.

A term is contained in another if that one has all its factors and more, and the same numeric columns.

Type I:   rows of the unit upper triangular factor of X'X: each term after all terms before it.
Type II:  the same with the term behind all terms that do not contain it; a term that no other contains: its own rows.
Type III: estimable functions of the term's parameters and of those that contain it, orthogonal to the latter's.
"""

from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal, get_args

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector, read_only
from harness.coding.columns import CodedTerm, Encoding, column_names, design_matrix
from harness.errors import Problem, SpecError
from harness.formula import Atom, term_text
from harness.lmm.covariance import upper_factor
from harness.lmm.design import LmmDesign
from harness.lmm.rank import column_rank

Type = Literal["I", "II", "III"]
TYPES: tuple[Type, ...] = get_args(Type)

_VANISHED = 1e-8
# Of the largest singular value of columns of length one; those that R's rule keeps reach down to about 1e-8.
_REDUNDANT = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hypothesis:
    """That contrasts `rows` (k, p) of the kept columns are all zero, which is what a term's test tests."""

    term: str
    rows: Matrix


def term_hypotheses(design: LmmDesign, type: Type = "III") -> tuple[Hypothesis, ...]:  # noqa: A002 - its name
    """Return what each term's test tests. R: ``show_tests(anova(m, type = 3))`` of lmerTest.

    Raises
    ------
    SpecError
        If there is no such type.
    """
    if type not in TYPES:
        raise SpecError("table of terms", [Problem(found=f"type {type!r}", expected="'I', 'II' or 'III'")])
    terms = _terms(design)
    owners = _owners(design)
    if type == "I" or len(terms) == 1:
        triangle = _unit_triangle(design.X)
        rows = [triangle[owners == place] for place, _ in terms]
    elif type == "II":
        rows = [_second_rows(design, terms, owners, at) for at in range(len(terms))]
    else:
        rows = _third_rows(design, terms)
    return tuple(
        Hypothesis(term=term_text(coded.term), rows=read_only(own)) for (_, coded), own in zip(terms, rows, strict=True)
    )


def empty_cells(design: LmmDesign) -> tuple[str, ...]:
    """Return the combinations of levels that a term asks for and no row has."""
    complete = [_complete(coded, design) for coded in design.coded_terms]
    X = design_matrix(complete, design.frame)
    return tuple(np.array(column_names(complete))[~X.any(axis=0)].tolist())


def _terms(design: LmmDesign) -> list[tuple[int, CodedTerm]]:
    """Return the coded terms but the intercept, each with its place."""
    return [(place, coded) for place, coded in enumerate(design.coded_terms) if coded.term]


def _owners(design: LmmDesign) -> Codes:
    """Return for each kept column the place of its term."""
    sizes = [len(coded.names) for coded in design.coded_terms]
    return np.repeat(np.arange(len(sizes)), sizes)[design.kept]


def _unit_triangle(X: Matrix) -> Matrix:
    """Return the unit upper triangular U of X'X = U'DU."""
    triangle = upper_factor(X)
    return triangle / np.diag(triangle)[:, None]


def _contains(outer: CodedTerm, inner: CodedTerm, design: LmmDesign) -> bool:
    """Return whether the outer term has all factors of the inner one and more, and the same numeric columns."""
    numeric = [{atom for atom in coded.term if atom.column in design.frame.numeric} for coded in (outer, inner)]
    return set(inner.term) < set(outer.term) and numeric[0] == numeric[1]


def _second_rows(design: LmmDesign, terms: list[tuple[int, CodedTerm]], owners: Codes, at: int) -> Matrix:
    place, term = terms[at]
    containing = [other for other, coded in terms if _contains(coded, term, design)]
    own = np.flatnonzero(owners == place)
    if not containing:
        return np.eye(len(owners))[own]
    last = np.isin(owners, containing)
    order = np.concatenate([np.flatnonzero(~last & (owners != place)), own, np.flatnonzero(last)])
    first = len(order) - len(own) - int(last.sum())
    rows = np.zeros((len(own), len(owners)))
    rows[:, order] = _unit_triangle(design.X[:, order])[first : first + len(own)]
    return rows


def _third_rows(design: LmmDesign, terms: list[tuple[int, CodedTerm]]) -> list[Matrix]:
    """Return the hypotheses of type III.

    `complete` has a column for every combination of levels; treatment coding keeps some of them, and each coefficient
    of these is an estimable function of the parameters of all: a column of `functions`. Of a term's functions those of
    the terms that contain it are projected off; in coefficients that is the term's own rows less a combination.
    """
    complete = [_complete(coded, design) for coded in design.coded_terms]
    parameters = np.repeat(np.arange(len(complete)), [len(coded.names) for coded in complete])
    treated = np.concatenate([_treated(coded) for coded in design.coded_terms])
    matrix = design_matrix(complete, design.frame)
    units = _units(matrix, parameters, design)
    recoded = not _treatment_coded(design)
    triangle = upper_factor(np.column_stack([matrix / units, design.X]) if recoded else matrix / units)
    every, fitted = triangle[:, : len(units)], triangle[:, len(units) :]
    kept = np.flatnonzero(treated)[column_rank(every[:, treated]).kept]
    functions, owners = _solved(every[:, kept], every).T, parameters[kept]
    turn = _solved(every[:, kept], fitted) if recoded else np.eye(len(kept))
    found = []
    for place, coded in terms:
        own = owners == place
        outer = np.isin(owners, [other for other, more in terms if _contains(more, coded, design)])
        shares = _solved(functions[:, outer], functions[:, own])
        left = np.linalg.norm(functions[:, own] - functions[:, outer] @ shares, axis=0)
        rows = np.eye(len(owners))[own]
        rows[:, outer] = -shares.T
        rows = rows[left > _VANISHED * np.linalg.norm(functions[:, own], axis=0)]
        found.append(rows @ turn / units[parameters == place][0] if recoded else rows)
    return found


def _units(matrix: Matrix, parameters: Codes, design: LmmDesign) -> Vector:
    """Return a size for each column, the same for all terms with the same numeric columns."""
    numeric = [
        frozenset(atom for atom in one.term if atom.column in design.frame.numeric) for one in design.coded_terms
    ]
    lengths = np.linalg.norm(matrix, axis=0)
    of_column = [numeric[place] for place in parameters]
    largest: dict[frozenset[Atom], float] = {}
    for key, length in zip(of_column, lengths.tolist(), strict=True):
        largest[key] = max(largest.get(key, 0.0), length)
    return np.array([largest[key] or 1.0 for key in of_column])


def _complete(coded: CodedTerm, design: LmmDesign) -> CodedTerm:
    """Return the term with a column for each combination of levels."""
    return replace(coded, encodings=tuple(_in_full(one, design) for one in coded.encodings))


def _in_full(encoding: Encoding, design: LmmDesign) -> Encoding:
    if encoding.table is None:
        return encoding
    levels = design.frame.levels[encoding.atom.column]
    return replace(encoding, table=np.eye(len(levels)), names=tuple(f"{encoding.atom}[{level}]" for level in levels))


def _treated(coded: CodedTerm) -> Mask:
    """Return which of the complete term's columns treatment coding keeps: all but the first level's, or all."""
    masks = [
        np.ones(len(one.names), dtype=bool)
        if one.table is None or one.table.shape[1] == len(one.table)
        else np.arange(len(one.table)) > 0
        for one in coded.encodings
    ]
    return reduce(lambda done, more: np.logical_and.outer(more, done).ravel(), masks, np.ones(1, dtype=bool))


def _treatment_coded(design: LmmDesign) -> bool:
    return all(one.atom.coding in {None, "treatment"} for coded in design.coded_terms for one in coded.encodings)


def _solved(basis: Matrix, columns: Matrix) -> Matrix:
    """Return the coefficients by which the columns of a basis, redundant ones perhaps, make other columns."""
    lengths = np.linalg.norm(basis, axis=0)
    scale = np.where(lengths > 0, lengths, 1.0)
    return np.asarray(np.linalg.lstsq(basis / scale, columns, rcond=_REDUNDANT)[0] / scale[:, None])
