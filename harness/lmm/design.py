"""From a cohort and a formula to the matrices y, X, Z and their conditioned form (Bates et al. 2015, section 2)."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.coding.columns import CodedTerm, Frame, code_terms, column_names, design_matrix, tabulated
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError
from harness.formula import ResidualTerm, formula_text
from harness.formula_tokens import shortened
from harness.lmm.checks import (
    exact_fit_problems,
    formula_problems,
    missing_problems,
    random_alias_problems,
    size_problems,
    value_problems,
)
from harness.lmm.conditioning import Conditioned, condition, reconditioned, scaled
from harness.lmm.dropped import DroppedRows, dropped_rows
from harness.lmm.grouping import RandomDesign, random_designs, side_by_side
from harness.lmm.rank import aliases
from harness.lmm.rows import combined, complete_rows, ordered_frame
from harness.lmm.spec import Criterion, LmmSpec
from harness.lmm.visit_checks import independence_problems, redundant_problems, visit_problems
from harness.quantities import InputEvidence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Outcome y (n,), fixed X (n, p) and random Z (n, q), each row times the root of its weight."""

    y: Vector
    X: Matrix
    Z: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LmmDesign:
    """The matrices of a model: n complete rows sorted by subject, p fixed effects, q random effects, m subjects.

    `y`, `X`, `Z` are in the user's units; engines compute with `scaled`, which is the same times the roots of `weights`
    (the very same arrays without weights). `log_weights` is the sum of their logarithms. X has full rank:
    `fixed_names` are its columns, `kept` (p,) their numbers among `all_names`, and `aliased` says of each other column
    what determines it. l is an estimable combination of all columns if l' `null_space` (all, k) = 0.

    `random` has one entry a random term, Z all of them side by side, `blocks` the sizes of the diagonal blocks of the
    relative factor. Subjects are the levels of the first random term's grouping, else of the residual structure's
    subject, in the order of the factor's levels; `starts` (m + 1,) delimit their rows.

    `dropped` tells of rows with a missing value, `empty_levels` are factor levels that no complete row has,
    `lone_levels` those of a single row.
    """

    criterion: Criterion
    y: Vector
    X: Matrix
    Z: Matrix
    weights: Vector | None
    scaled: Rows
    log_weights: float
    random: tuple[RandomDesign, ...]
    residual: ResidualTerm | None
    starts: Codes
    subject_labels: tuple[str, ...]
    fixed_names: tuple[str, ...]
    all_names: tuple[str, ...]
    kept: Codes
    aliased: Mapping[str, str]
    null_space: Matrix
    frame: Frame
    coded_terms: tuple[CodedTerm, ...]
    conditioned: Conditioned
    dropped: DroppedRows
    empty_levels: tuple[str, ...]
    lone_levels: tuple[str, ...]

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
        """Random effects of one subject, all terms together, q."""
        return int(self.Z.shape[1])

    @property
    def random_names(self) -> tuple[str, ...]:
        """Columns of Z."""
        return tuple(name for one in self.random for name in one.names)

    @property
    def blocks(self) -> tuple[int, ...]:
        """Sizes of the relative factor's diagonal blocks: (2,) for (1 + t | id), (1, 1) for (1 + t || id)."""
        return tuple(size for one in self.random for size in one.blocks)

    @property
    def aliased_names(self) -> tuple[str, ...]:
        """Columns that are not in X because the columns before them determine them."""
        return tuple(self.aliased)

    @property
    def dropped_rows(self) -> int:
        """Rows with a missing value."""
        return self.dropped.total

    @property
    def dropped_by_subject(self) -> Mapping[str, int]:
        """Rows with a missing value, of each subject that has any."""
        return self.dropped.by_subject

    @property
    def lost_subjects(self) -> tuple[str, ...]:
        """Subjects of whom no row is left."""
        return self.dropped.lost_subjects

    def subject_rows(self) -> Iterator[slice]:
        """Yield the rows of each subject."""
        for start, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield slice(start, end)


def build_design(spec: LmmSpec, cohort: Cohort) -> LmmDesign:
    """Return the matrices of a model on a cohort; rows with a missing value in any of its columns are left out.

    Factors are coded over their observed levels, by treatment contrasts against the first if the formula doesn't say
    otherwise. Columns of X that the columns before them determine are left out, as in R.
    R: ``getME(m, "X")``, ``model.matrix``, ``fixef(m, add.dropped = TRUE)``.

    Raises
    ------
    SpecError
        With all problems found: unknown or unsuitable columns; then unusable values; then random effects of deficient
        rank, too few rows, or too few subjects.
    """
    formula = spec.formula
    _raise_if(formula_problems(spec, cohort), spec, cohort)
    complete, missing = complete_rows(cohort, formula.columns)
    if not complete.any():
        _raise_if(missing_problems(missing, cohort.n_rows), spec, cohort)
    frame, empty_levels, lone_levels = ordered_frame(formula, cohort, complete, spec.columns)
    codes, labels = combined([(frame.codes[name], frame.levels[name]) for name in formula.subject])
    unfit = value_problems(spec, frame, cohort.numeric, len(labels))
    if formula.residual is not None:
        unfit += visit_problems(formula.residual, frame)
    _raise_if(unfit, spec, cohort)

    coded = code_terms(formula.terms, intercept=formula.intercept, levels=frame.levels, numeric=cohort.numeric)
    names = column_names(coded)
    random = random_designs(formula.random, frame, cohort.numeric)

    weights = None if spec.weights is None else frame.numeric[spec.weights]
    roots = None if weights is None else np.sqrt(weights)
    y = frame.numeric[formula.outcome]
    cells = tabulated(coded, frame)
    X = design_matrix(coded, frame) if cells is None else cells.rows
    conditioned, rank = condition(X if cells is None else cells, y, roots, intercept=formula.intercept)
    _raise_if(size_problems(frame.n_rows, len(rank.kept), random, weights), spec, cohort)
    aliased = aliases(X, rank, names)
    if aliased:
        X = X[:, rank.kept]
    residual = conditioned.D[:, -1]
    problems = [*random_alias_problems(random), *exact_fit_problems(residual, scaled(y, roots), formula.outcome)]
    if formula.residual is not None:
        problems += independence_problems(formula.residual, random)
        problems += redundant_problems(formula.residual, frame, random)
    _raise_if(problems, spec, cohort)

    X, Z = read_only(X), side_by_side(random, frame.n_rows)
    return LmmDesign(
        criterion=spec.criterion,
        y=y,
        X=X,
        Z=Z,
        weights=weights,
        scaled=_scaled_rows(y, X, Z, roots),
        log_weights=0.0 if weights is None else float(np.log(weights).sum()),
        random=random,
        residual=formula.residual,
        starts=read_only(np.concatenate([[0], np.cumsum(np.bincount(codes))])),
        subject_labels=labels,
        fixed_names=tuple(names[j] for j in rank.kept.tolist()),
        all_names=names,
        kept=read_only(rank.kept),
        aliased=aliased,
        null_space=read_only(rank.null_space),
        frame=frame,
        coded_terms=coded,
        conditioned=conditioned,
        dropped=dropped_rows(formula, cohort, complete, missing),
        empty_levels=empty_levels,
        lone_levels=lone_levels,
    )


def all_rows(design: LmmDesign, frame: Frame) -> Matrix:
    """Return the fixed part's rows (k, all) over another frame of the same levels, aliased columns included."""
    return design_matrix(design.coded_terms, frame)


def fixed_rows(design: LmmDesign, frame: Frame) -> Matrix:
    """Return the fixed part's rows (k, p) over another frame of the same levels."""
    return all_rows(design, frame)[:, design.kept]


def with_outcome(design: LmmDesign, y: Vector) -> LmmDesign:
    """Return the design with another outcome (n,) in its rows."""
    roots = None if design.weights is None else np.sqrt(design.weights)
    intercept = design.fixed_names[:1] == ("intercept",)
    y = read_only(np.array(y, dtype=float))
    return replace(
        design,
        y=y,
        scaled=replace(design.scaled, y=y if roots is None else read_only(scaled(y, roots))),
        conditioned=reconditioned(design.conditioned, y, roots, intercept=intercept),
    )


def input_evidence(design: LmmDesign) -> InputEvidence:
    """Return what this engine was given, after it dropped incomplete rows."""
    return InputEvidence(
        n_observations=design.n_observations,
        n_subjects=design.n_subjects,
        outcome_sum=math.fsum(design.y),
        design_sums={name: math.fsum(column) for name, column in zip(design.fixed_names, design.X.T, strict=True)},
    )


def _raise_if(problems: list[Problem], spec: LmmSpec, cohort: Cohort) -> None:
    if problems:
        raise SpecError(f"model {shortened(formula_text(spec.formula))!r} on cohort {cohort.name!r}", problems)


def _scaled_rows(y: Vector, X: Matrix, Z: Matrix, roots: Vector | None) -> Rows:
    if roots is None:
        return Rows(y=y, X=X, Z=Z)
    return Rows(y=read_only(scaled(y, roots)), X=read_only(scaled(X, roots)), Z=read_only(scaled(Z, roots)))
