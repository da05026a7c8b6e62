"""A linear mixed model as R gets it: a tree of the letters v1 ... vk, and what R will call its columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.cohorts.cohort import Cohort
from harness.formula import Atom, Formula, RandomTerm, Term
from harness.lmm.spec import LmmSpec
from harness.references.requests import Request, request_of
from harness.references.wire import Text

Letters = Mapping[tuple[str, str | None], str]
"""The letter of each column and coding: a factor travels once for each coding that it has in the formula."""

VISITS = "visits"


def lmm_request(spec: LmmSpec, cohort: Cohort) -> Request:
    """Return the request of a linear mixed model."""
    formula = spec.formula
    atoms = _atoms(formula)
    plain = (formula.outcome, *_subject_columns(formula), *filter(None, [spec.weights]))
    wanted: list[tuple[str, str | None]] = [
        *((name, None) for name in plain),
        *((atom.column, atom.coding) for atom in atoms),
    ]
    residual = formula.residual
    if residual is not None:
        # Visits that are numbers travel once more, as a factor; times do not.
        numbered = residual.structure != "car1" and residual.visit in cohort.numeric
        visit = (residual.visit, VISITS if numbered else None)
        wanted.append(visit)
    letters: Letters = {key: f"v{k}" for k, key in enumerate(dict.fromkeys(wanted), start=1)}
    tree = {
        "outcome": letters[formula.outcome, None],
        "terms": _terms(formula.terms, letters),
        "intercept": formula.intercept,
        "random": [_random(random, letters) for random in formula.random],
        "residual": None
        if residual is None
        else {
            "structure": residual.structure,
            "visit": letters[visit],
            "subject": letters[residual.subject, None],
            "by": None if residual.by is None else letters[residual.by, None],
        },
        "weights": None if spec.weights is None else letters[spec.weights, None],
        "codings": {letter: coding for (_, coding), letter in letters.items() if coding not in {None, VISITS}},
        "criterion": spec.criterion,
    }
    pieces = {r_name: (str(atom), ours) for atom in atoms for r_name, ours in _pieces(atom, letters, cohort)}
    return request_of(
        cohort,
        {letter: name for (name, _), letter in letters.items()},
        tree,
        pieces,
        as_factors={letter for (_, coding), letter in letters.items() if coding == VISITS},
    )


def _atoms(formula: Formula) -> tuple[Atom, ...]:
    terms = (*formula.terms, *(term for random in formula.random for term in random.terms))
    return tuple(dict.fromkeys(atom for term in terms for atom in term))


def _subject_columns(formula: Formula) -> Iterator[str]:
    for random in formula.random:
        yield from random.grouping
    if (residual := formula.residual) is not None:
        yield from (residual.subject, *filter(None, [residual.by]))


def _random(random: RandomTerm, letters: Letters) -> dict[str, Any]:
    return {
        "terms": _terms(random.terms, letters),
        "intercept": random.intercept,
        "correlated": random.correlated,
        "grouping": Text(letters[name, None] for name in random.grouping),
    }


def _terms(terms: Sequence[Term], letters: Letters) -> list[list[dict[str, Any]]]:
    return [
        [
            {
                "column": letters[atom.column, atom.coding],
                "power": atom.power,
                "function": atom.function,
                "size": atom.size,
            }
            for atom in term
        ]
        for term in terms
    ]


def _pieces(atom: Atom, letters: Letters, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """Yield what R calls each column of a variable, as reference_r/mixed_models.R builds it, and our name of it."""
    letter = letters[atom.column, atom.coding]
    if atom.column in cohort.factors:
        for k, level in enumerate(cohort.factors[atom.column].levels, start=1):
            yield f"{letter}L{k}", f"{atom}[{level}]"
            yield f"{letter}c{k}", f"{atom}[{k}]"  # polynomials of the levels have no level of their own
    elif atom.function in {"poly", "ns"}:
        yield f"{atom.function}({letter}, {atom.size})", f"{atom}[1]"
        for k in np.arange(1, atom.size + 1).tolist():
            yield f"{atom.function}({letter}, {atom.size}){k}", f"{atom}[{k}]"
    elif atom.function != "identity":
        yield f"{atom.function}({letter})", str(atom)
    else:
        yield (letter if atom.power == 1 else f"I({letter}^{atom.power})"), str(atom)
