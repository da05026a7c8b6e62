"""From a cohort and a formula to the matrices y, X, Z and their conditioned form (Bates et al. 2015, section 2)."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError
from harness.formula import Formula, formula_text
from harness.formula_tokens import shortened
from harness.lmm.checks import (
    ALIASED,
    alias_problems,
    exact_fit_problems,
    formula_problems,
    missing_problems,
    size_problems,
    value_problems,
)
from harness.lmm.columns import CodedTerm, Frame, code_terms, column_names, design_matrix
from harness.lmm.covariance import upper_factor
from harness.lmm.spec import Criterion, LmmSpec
from harness.quantities import InputEvidence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditioned:
    """The fixed design free of units: X = Q_x R_x, `D` (n, p + 1) = [Q_x, y - Q_x Q_x'y].

    `triangle` is R_x (p, p), `coefficients` (p,) is Q_x'y; coefficients of Q_x added to it return by R_x^-1.
    """

    D: Matrix
    triangle: Matrix
    coefficients: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LmmDesign:
    """The matrices of a model: n complete rows sorted by subject, p fixed effects, q random effects, m subjects.

    `starts` (m + 1,) delimit the rows of each subject. Subjects are in the order of the factor's levels. `dropped_rows`
    counts rows with a missing value, `dropped_by_subject` those of each subject that has any, `lost_subjects` are
    subjects of whom no row is left, `empty_levels` factor levels that no complete row has.
    """

    criterion: Criterion
    correlated: bool
    y: Vector
    X: Matrix
    Z: Matrix
    starts: Codes
    fixed_names: tuple[str, ...]
    random_names: tuple[str, ...]
    subject_labels: tuple[str, ...]
    frame: Frame
    coded_terms: tuple[CodedTerm, ...]
    conditioned: Conditioned
    dropped_rows: int
    dropped_by_subject: Mapping[str, int]
    lost_subjects: tuple[str, ...]
    empty_levels: tuple[str, ...]

    @property
    def n_observations(self) -> int:
        """Complete rows, n."""
        return len(self.y)

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one complete row, m."""
        return len(self.subject_labels)

    @property
    def n_fixed(self) -> int:
        """Fixed effects, p."""
        return len(self.fixed_names)

    @property
    def n_random(self) -> int:
        """Random effects of one subject, q."""
        return len(self.random_names)

    def subject_rows(self) -> Iterator[slice]:
        """Yield the rows of each subject."""
        for start, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield slice(start, end)


def build_design(spec: LmmSpec, cohort: Cohort) -> LmmDesign:
    """Return the matrices of a model on a cohort; rows with a missing value in any of its columns are left out.

    Factors are coded by treatment contrasts over their observed levels, the first of which is the reference.
    R: ``getME(m, "X")``, ``model.matrix``.

    Raises
    ------
    SpecError
        With all problems found: unknown or unsuitable columns; then unusable values; then a design of deficient rank,
        with each aliased column named, too few rows, or too few subjects.
    """
    formula = spec.formula
    where = f"model {shortened(formula_text(formula))!r} on cohort {cohort.name!r}"
    _raise_if(where, formula_problems(formula, cohort))
    random = formula.random[0]
    kept = _complete_rows(formula, cohort, where)
    frame, empty_levels = _frame(formula, cohort, kept)
    _raise_if(where, value_problems(formula, frame))

    coded = code_terms(formula.terms, intercept=formula.intercept, factors=frame.levels)
    slopes = code_terms(random.terms, intercept=random.intercept, factors=frame.levels)
    fixed_names = column_names(coded, frame.levels, intercept=formula.intercept)
    random_names = column_names(slopes, frame.levels, intercept=random.intercept)
    labels = frame.levels[random.subject]
    sizes = size_problems(frame.n_rows, len(fixed_names), len(labels), len(random_names), correlated=random.correlated)
    _raise_if(where, sizes)

    y = frame.numeric[formula.outcome]
    X = design_matrix(coded, frame, intercept=formula.intercept)
    Z = design_matrix(slopes, frame, intercept=random.intercept)
    Q, triangle = np.linalg.qr(X)
    aliased = [] if _regular(X, triangle) else alias_problems(X, fixed_names, "fixed-effect")
    if not _regular(Z, upper_factor(Z)):
        aliased += alias_problems(Z, random_names, "random-effect")
    # Taking the mean off is exact where y has an offset that dwarfs its spread; projecting it off would not be.
    centre = y.mean() if formula.intercept else 0.0
    projected = Q.T @ (y - centre)
    residual = (y - centre) - Q @ projected
    _raise_if(where, [*aliased, *exact_fit_problems(residual, y, formula.outcome)])

    rows_of = np.bincount(frame.codes[random.subject])
    dropped, lost = _dropped(cohort, random.subject, kept)
    return LmmDesign(
        criterion=spec.criterion,
        correlated=random.correlated,
        y=y,
        X=read_only(X),
        Z=read_only(Z),
        starts=read_only(np.concatenate([[0], np.cumsum(rows_of)])),
        fixed_names=fixed_names,
        random_names=random_names,
        subject_labels=labels,
        frame=frame,
        coded_terms=coded,
        conditioned=Conditioned(
            D=read_only(np.column_stack([Q, residual])),
            triangle=read_only(triangle),
            coefficients=read_only(projected + centre * triangle[:, 0]),
        ),
        dropped_rows=cohort.n_rows - frame.n_rows,
        dropped_by_subject=dropped,
        lost_subjects=lost,
        empty_levels=empty_levels,
    )


def input_evidence(design: LmmDesign) -> InputEvidence:
    """Return what this engine was given, after it dropped incomplete rows."""
    return InputEvidence(
        n_observations=design.n_observations,
        n_subjects=design.n_subjects,
        outcome_sum=math.fsum(design.y),
        design_sums={name: math.fsum(column) for name, column in zip(design.fixed_names, design.X.T, strict=True)},
    )


def _raise_if(where: str, problems: list[Problem]) -> None:
    if problems:
        raise SpecError(where, problems)


def _complete_rows(formula: Formula, cohort: Cohort, where: str) -> Mask:
    missing = {
        name: np.isnan(cohort.numeric[name]) if name in cohort.numeric else cohort.factors[name].codes < 0
        for name in formula.columns
    }
    kept: Mask = ~np.any(list(missing.values()), axis=0)
    if not kept.any():
        _raise_if(where, missing_problems({name: int(mask.sum()) for name, mask in missing.items()}, cohort.n_rows))
    return kept


def _frame(formula: Formula, cohort: Cohort, kept: Mask) -> tuple[Frame, tuple[str, ...]]:
    """Return the complete rows, sorted by subject and then by the slope columns, so that equal visits lie alike."""
    random = formula.random[0]
    slopes = [cohort.numeric[atom.column] for term in random.terms for atom in term]
    rows = np.flatnonzero(kept)
    keys = [column[rows] for column in (*slopes[::-1], cohort.factors[random.subject].codes)]
    rows = rows[np.lexsort(keys)]
    numeric, codes, levels = {}, {}, {}
    empty: list[str] = []
    for name in formula.columns:
        if name in cohort.numeric:
            numeric[name] = read_only(cohort.numeric[name][rows])
            continue
        factor = cohort.factors[name]
        own = factor.codes[rows]
        observed = np.bincount(own, minlength=len(factor.levels)) > 0
        codes[name] = read_only(own if observed.all() else (np.cumsum(observed) - 1)[own])
        levels[name] = tuple(level for level, seen in zip(factor.levels, observed, strict=True) if seen)
        if name != random.subject:
            unseen = (level for level, seen in zip(factor.levels, observed, strict=True) if not seen)
            empty += [f"{name}[{level}]" for level in unseen]
    return Frame(n_rows=len(rows), numeric=numeric, codes=codes, levels=levels), tuple(empty)


def _dropped(cohort: Cohort, subject: str, kept: Mask) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return how many rows each subject lost, and who lost all; rows without a subject count for nobody."""
    if kept.all():
        return {}, ()
    factor = cohort.factors[subject]
    known = factor.codes >= 0
    lost = np.bincount(factor.codes[known & ~kept], minlength=len(factor.levels))
    left = np.bincount(factor.codes[kept], minlength=len(factor.levels))
    dropped = {factor.levels[i]: int(lost[i]) for i in np.flatnonzero(lost)}
    return dropped, tuple(factor.levels[i] for i in np.flatnonzero((lost > 0) & (left == 0)))


def _regular(X: Matrix, triangle: Matrix) -> bool:
    lengths = np.linalg.norm(X, axis=0)
    return bool(np.all(np.abs(np.diag(triangle)) >= ALIASED * lengths) and np.all(lengths > 0))
