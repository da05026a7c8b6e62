"""What makes a model unfit for a cohort, said before anything is computed; each function returns all that it finds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from harness.arrays import Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, nearest
from harness.formula import Atom, Formula
from harness.lmm.columns import Frame, atom_values

# R's rule (LINPACK's QR): a column whose part orthogonal to the columns before it is below this share of its length.
ALIASED = 1e-7
# Residuals below this share of the outcome are rounding, not data.
EXACT_FIT = 1e-14
# Squares, and products of them, of larger numbers overflow, and those of smaller ones vanish.
_LARGEST = 1e60
_DOMAINS = {"log": (0.0, "> 0"), "log1p": (-1.0, "> -1"), "sqrt": (-np.finfo(float).tiny, ">= 0")}


def formula_problems(formula: Formula, cohort: Cohort) -> list[Problem]:
    """Return what is wrong with the columns that a formula names."""
    fixed = list(dict.fromkeys(_atoms(formula.terms)))
    slopes = list(dict.fromkeys(atom for random in formula.random for atom in _atoms(random.terms)))
    groupings = list(dict.fromkeys(random.subject for random in formula.random))
    named = dict.fromkeys([formula.outcome, *(atom.column for atom in (*fixed, *slopes)), *groupings])
    return [
        *_random_problems(formula, cohort),
        *_unknown_problems(named, cohort),
        *_role_problems(formula.outcome, [*fixed, *slopes], groupings, cohort),
        *_factor_problems(fixed, slopes, cohort),
        *_number_problems(named, cohort),
    ]


def _random_problems(formula: Formula, cohort: Cohort) -> Iterator[Problem]:
    if len(formula.random) != 1:
        yield Problem(
            found=f"{len(formula.random)} random terms",
            expected="exactly one, such as (1 + time | subject)",
            advice=f"The subject column is {cohort.subject!r}.",
        )


def _unknown_problems(named: Iterable[str], cohort: Cohort) -> Iterator[Problem]:
    for name in named:
        if name not in cohort.numeric and name not in cohort.factors:
            expected = f"one of {', '.join(map(repr, cohort.columns))}"
            yield Problem(found="unknown column", expected=expected, column=name, advice=nearest(name, cohort.columns))


def _role_problems(
    outcome: str, predictors: Sequence[Atom], groupings: Sequence[str], cohort: Cohort
) -> Iterator[Problem]:
    used = {atom.column for atom in predictors}
    if outcome in cohort.factors:
        yield Problem(found="an outcome with categories", expected="a numeric outcome", column=outcome)
    if outcome in used:
        yield Problem(found="the outcome among the predictors", expected="it before '~' only", column=outcome)
    for name in groupings:
        if name in cohort.numeric:
            advice = "Declare it as a factor in the schema."
            yield Problem(found="numbers", expected="a factor to group by", column=name, advice=advice)
        if name in used:
            yield Problem(found="the grouping column among the predictors", expected="it behind '|' only", column=name)


def _factor_problems(fixed: Sequence[Atom], slopes: Sequence[Atom], cohort: Cohort) -> Iterator[Problem]:
    for atom in fixed:
        if atom.column in cohort.factors and str(atom) != atom.column:
            yield Problem(found=f"{atom} of a factor", expected="a numeric column", column=atom.column)
    for atom in slopes:
        if atom.column in cohort.factors:
            found, advice = "a random effect of a factor", "Only numeric columns have random slopes here."
            yield Problem(found=found, expected="a numeric column", column=atom.column, advice=advice)


def _number_problems(named: Iterable[str], cohort: Cohort) -> Iterator[Problem]:
    for name in named:
        values = cohort.numeric.get(name, np.zeros(1))
        if np.isinf(values).any():
            found = f"{int(np.isinf(values).sum())} infinite values"
            yield Problem(found=found, expected="finite numbers, or missing", column=name)
        if np.isnan(values).all():
            yield Problem(found="no value at all", expected="at least one that is not missing", column=name)


def value_problems(formula: Formula, frame: Frame) -> list[Problem]:
    """Return what is wrong with the values of the complete rows."""
    found: list[Problem] = []
    terms = (*formula.terms, *(term for random in formula.random for term in random.terms))
    for atom in dict.fromkeys(_atoms(terms)):
        if atom.column in frame.numeric:
            found += _domain_problems(atom, frame.numeric[atom.column])
        elif len(frame.levels[atom.column]) < 2:
            levels = ", ".join(map(repr, frame.levels[atom.column]))
            found.append(
                Problem(found=f"only the level {levels}", expected="at least two observed levels", column=atom.column)
            )
    outcome = frame.numeric[formula.outcome]
    found += _size_problems(formula.outcome, formula.outcome, outcome)
    if (outcome == outcome[0]).all():
        found.append(
            Problem(found=f"the constant outcome {outcome[0]:g}", expected="values that vary", column=formula.outcome)
        )
    subjects = len(frame.levels[formula.random[0].subject])
    if subjects < 2:
        found.append(
            Problem(
                found=f"{subjects} subject with complete rows",
                expected="at least 2",
                column=formula.random[0].subject,
            )
        )
    return found


def _domain_problems(atom: Atom, values: Vector) -> list[Problem]:
    bound, domain = _DOMAINS.get(atom.function, (-np.inf, ""))
    outside = values <= bound
    if outside.any():
        found = f"{int(outside.sum())} values outside the domain of {atom}, the first {values[outside][0]:g}"
        return [Problem(found=found, expected=f"values {domain}", column=atom.column)]
    with np.errstate(over="ignore"):
        computed = atom_values(atom, values)
    overflow = ~np.isfinite(computed)
    if overflow.any():
        found = f"{atom} is too large for a number at {values[overflow][0]:g}"
        return [Problem(found=found, expected="finite values", column=atom.column, advice="Use a larger unit.")]
    return _size_problems(str(atom), atom.column, computed)


def _size_problems(name: str, column: str, values: Vector) -> list[Problem]:
    largest = float(np.abs(values).max())
    if largest == 0 or 1 / _LARGEST <= largest <= _LARGEST:
        return []
    expected = f"values of {1 / _LARGEST:g} to {_LARGEST:g} in size"
    return [Problem(found=f"{name} of up to {largest:g}", expected=expected, column=column, advice="Use another unit.")]


def size_problems(n: int, p: int, m: int, q: int, *, correlated: bool) -> list[Problem]:
    """Return whether n rows can determine p fixed effects, and q random effects of each of m subjects."""
    found: list[Problem] = []
    if n <= p + 1:
        found.append(Problem(found=f"{n} complete rows for {p} fixed effects", expected=f"at least {p + 2} rows"))
    effects = m * (q if correlated else 1)
    if n <= effects:
        found.append(
            Problem(
                found=f"{effects} random effects from {n} rows",
                expected="fewer random effects than rows",
                advice="Their variance can't be told from the residual variance; leave out random effects.",
            )
        )
    return found


def alias_problems(X: Matrix, names: Sequence[str], what: str) -> list[Problem]:
    """Return one problem for each column that the columns before it determine; the later one is named, as in R."""
    kept: list[int] = []
    found: list[Problem] = []
    for j, name in enumerate(names):
        column = X[:, j]
        basis, triangle = np.linalg.qr(X[:, kept])
        rest = column - basis @ (basis.T @ column)
        length = np.linalg.norm(column)
        if length > 0 and np.linalg.norm(rest) >= ALIASED * length:
            kept.append(j)
            continue
        if length == 0:
            sentence = "zero in every row"
        else:
            shares = np.abs(np.linalg.solve(triangle, basis.T @ column)) * np.linalg.norm(X[:, kept], axis=0)
            sources = [names[k] for k, share in zip(kept, shares, strict=True) if share > ALIASED * length]
            constant = sources == ["intercept"] and (column == column[0]).all()
            sentence = f"constant ({column[0]:g})" if constant else f"determined by {' and '.join(sources)}"
        found.append(
            Problem(
                found=f"a {what} column that is {sentence}",
                expected="one that the columns before it do not determine",
                column=name,
                advice="Leave it out, or merge empty combinations of levels.",
            )
        )
    return found


def exact_fit_problems(residual: Vector, outcome: Vector, name: str) -> list[Problem]:
    """Return whether the fixed effects leave nothing over."""
    if np.linalg.norm(residual) > EXACT_FIT * np.linalg.norm(outcome):
        return []
    return [Problem(found="an outcome that the fixed effects fit exactly", expected="residuals", column=name)]


def missing_problems(missing: Mapping[str, int], n_rows: int) -> list[Problem]:
    """Return why no row is complete."""
    counts = ", ".join(f"{name!r} is missing in {count}" for name, count in missing.items() if count)
    return [
        Problem(found=f"no complete row among {n_rows}", expected="rows without a missing value", advice=f"{counts}.")
    ]


def _atoms(terms: Sequence[tuple[Atom, ...]]) -> list[Atom]:
    return [atom for term in terms for atom in term]
