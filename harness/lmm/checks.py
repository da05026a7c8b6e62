"""What makes a model unfit for a cohort, said before anything is computed; each function returns all that it finds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, combinations, pairwise

import numpy as np

from harness.arrays import Vector
from harness.coding.bases import spline_knots
from harness.coding.columns import Frame, atom_values
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError, nearest
from harness.formula import Atom, Formula
from harness.lmm.covariance import upper_factor
from harness.lmm.grouping import RandomDesign
from harness.lmm.orthonormal import TALL, gram_root
from harness.lmm.rank import aliases, column_rank
from harness.lmm.spec import LmmSpec

# Structures that a variance of an intercept can't be told from.
HOLDING_INTERCEPTS = frozenset({"us", "cs", "toep"})
# Residuals below this share of the outcome are rounding, not data.
EXACT_FIT = 1e-14
# Squares, and products of them, of larger numbers overflow, and those of smaller ones vanish.
LARGEST = 1e60
# Residual variances are in units of them, and squares of those must not overflow either.
_LARGEST_WEIGHT = 1e30
_DOMAINS = {"log": (0.0, "> 0"), "log1p": (-1.0, "> -1"), "sqrt": (-np.finfo(float).tiny, ">= 0")}


def formula_problems(spec: LmmSpec, cohort: Cohort) -> list[Problem]:
    """Return what is wrong with the columns that a model names."""
    formula = spec.formula
    fixed = list(dict.fromkeys(_atoms(formula.terms)))
    atoms = list(dict.fromkeys([*fixed, *(atom for random in formula.random for atom in _atoms(random.terms))]))
    return [
        *_random_problems(formula, cohort),
        *_unknown_problems(spec.columns, cohort),
        *_outcome_problems(formula.outcome, atoms, cohort),
        *_grouping_problems(formula, fixed, cohort),
        *_atom_problems(atoms, cohort),
        *_number_problems(spec.columns, cohort),
        *_residual_problems(formula, cohort),
        *_weights_role_problems(spec, cohort),
    ]


def _random_problems(formula: Formula, cohort: Cohort) -> Iterator[Problem]:
    if not formula.random and formula.residual is None:
        yield Problem(
            found="0 random terms",
            expected="a random term such as (1 + time | subject), or a structure such as us(visit | subject)",
            advice=f"The subject column is {cohort.subject!r}.",
        )


def _unknown_problems(named: Iterable[str], cohort: Cohort) -> Iterator[Problem]:
    for name in named:
        if name not in cohort.numeric and name not in cohort.factors:
            expected = f"one of {', '.join(map(repr, cohort.columns))}"
            yield Problem(found="unknown column", expected=expected, column=name, advice=nearest(name, cohort.columns))


def _outcome_problems(outcome: str, predictors: Sequence[Atom], cohort: Cohort) -> Iterator[Problem]:
    if outcome in cohort.factors:
        yield Problem(found="an outcome with categories", expected="a numeric outcome", column=outcome)
    if outcome in {atom.column for atom in predictors}:
        yield Problem(found="the outcome among the predictors", expected="it before '~' only", column=outcome)


def _grouping_problems(formula: Formula, fixed: Sequence[Atom], cohort: Cohort) -> Iterator[Problem]:
    residual = formula.residual
    # Whose intercept the fixed part would hold already.
    alone = {random.grouping[0] for random in formula.random if len(random.grouping) == 1 and random.intercept}
    names = [name for random in formula.random for name in random.grouping]
    if residual is not None:
        alone |= {residual.subject} if residual.structure in HOLDING_INTERCEPTS else set()
        names += [residual.subject, *filter(None, [residual.by])]
    for name in dict.fromkeys(names):
        if name in cohort.numeric:
            advice = "Declare it as a factor in the schema."
            yield Problem(found="numbers", expected="a factor to group by", column=name, advice=advice)
        if name in alone and any(atom.column == name for atom in fixed):
            found, advice = "the grouping column among the predictors", f"A unit within it is (1 | {name}:unit)."
            yield Problem(found=found, expected="it behind '|' only", column=name, advice=advice)


def _atom_problems(atoms: Sequence[Atom], cohort: Cohort) -> Iterator[Problem]:
    for atom in atoms:
        if atom.column in cohort.factors and atom.coding is None and str(atom) != atom.column:
            yield Problem(found=f"{atom} of a factor", expected="a numeric column", column=atom.column)
        if atom.column in cohort.numeric and atom.coding is not None:
            advice = "Declare it as a factor in the schema, or in a DataFrame as a category."
            yield Problem(found=f"{atom} of numbers", expected="a factor to code", column=atom.column, advice=advice)


def _number_problems(named: Iterable[str], cohort: Cohort) -> Iterator[Problem]:
    for name in named:
        values = cohort.numeric.get(name, np.zeros(1))
        if np.isinf(values).any():
            found = f"{int(np.isinf(values).sum())} infinite values"
            yield Problem(found=found, expected="finite numbers, or missing", column=name)
        if np.isnan(values).all():
            yield Problem(found="no value at all", expected="at least one that is not missing", column=name)


def _residual_problems(formula: Formula, cohort: Cohort) -> Iterator[Problem]:
    residual = formula.residual
    if residual is None:
        return
    if residual.structure == "car1" and residual.visit in cohort.factors:
        advice = "Name the column of times, or use ar1 for visits."
        yield Problem(found="car1 of a factor", expected="numbers, the times", column=residual.visit, advice=advice)
    if residual.visit == formula.outcome:
        yield Problem(found="the outcome as visit", expected="it before '~' only", column=residual.visit)


def _weights_role_problems(spec: LmmSpec, cohort: Cohort) -> Iterator[Problem]:
    if spec.weights in cohort.factors:
        yield Problem(found="weights with categories", expected="numbers > 0", column=spec.weights)


def value_problems(spec: LmmSpec, frame: Frame, numeric: Mapping[str, Vector], n_subjects: int) -> list[Problem]:
    """Return what is wrong with the values of the complete rows, and of those of `numeric` that train a basis."""
    formula = spec.formula
    found: list[Problem] = []
    terms = (*formula.terms, *(term for random in formula.random for term in random.terms))
    for atom in dict.fromkeys(_atoms(terms)):
        if atom.column in frame.numeric:
            found += _domain_problems(atom, frame.numeric[atom.column])
            found += _basis_problems(atom, numeric[atom.column])
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
    if n_subjects < 2:
        column = ":".join(formula.subject)
        found.append(Problem(found=f"{n_subjects} subject with complete rows", expected="at least 2", column=column))
    if spec.weights is not None:
        found += weight_problems(spec.weights, frame.numeric[spec.weights])
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


def _basis_problems(atom: Atom, values: Vector) -> list[Problem]:
    if atom.function not in {"poly", "ns"}:
        return []
    known = values[~np.isnan(values)]
    if atom.function == "poly":
        distinct = len(np.unique(known))
        if distinct > atom.size:
            return []
        found, expected = f"{atom} of {distinct} distinct values", f"a degree of at most {distinct - 1}"
        return [Problem(found=found, expected=expected, column=atom.column)]
    knots = spline_knots(known, atom.size)
    if (np.diff(knots) > 0).all():
        return []
    found = f"knots of {atom} at {', '.join(f'{knot:g}' for knot in knots)}"
    return [Problem(found=found, expected="distinct quantiles", column=atom.column, advice="Take a smaller number.")]


def _size_problems(name: str, column: str, values: Vector) -> list[Problem]:
    largest = float(np.abs(values).max())
    if largest == 0 or 1 / LARGEST <= largest <= LARGEST:
        return []
    expected = f"values of {1 / LARGEST:g} to {LARGEST:g} in size"
    return [Problem(found=f"{name} of up to {largest:g}", expected=expected, column=column, advice="Use another unit.")]


def weight_problems(name: str, weights: Vector) -> list[Problem]:
    """Return which complete rows have a weight that is missing, zero, negative, or beyond what arithmetic can hold."""
    missing = np.isnan(weights)
    found = []
    if missing.any():
        found.append(
            Problem(found=f"{int(missing.sum())} complete rows without a weight", expected="numbers > 0", column=name)
        )
    unfit = weights[~missing & (weights <= 0)]
    if len(unfit):
        sentence = f"{len(unfit)} weights that are not positive, the smallest {unfit.min():g}"
        advice = "Leave out rows that are to have no weight."
        found.append(Problem(found=sentence, expected="numbers > 0", column=name, advice=advice))
    extreme = weights[(weights > _LARGEST_WEIGHT) | ((weights > 0) & (weights < 1 / _LARGEST_WEIGHT))]
    if len(extreme):
        expected = f"numbers from {1 / _LARGEST_WEIGHT:g} to {_LARGEST_WEIGHT:g}"
        found.append(Problem(found=f"{len(extreme)} weights such as {extreme[0]:g}", expected=expected, column=name))
    return found


def size_problems(n: int, p: int, random: Sequence[RandomDesign], weights: Vector | None) -> list[Problem]:
    """Return whether n rows can determine p fixed effects, and the random effects of each level of a grouping."""
    found: list[Problem] = []
    if p == 0:
        advice = "Keep the intercept."
        found.append(Problem(found="no fixed effects", expected="at least one column that is not zero", advice=advice))
    if n <= p + 1:
        found.append(Problem(found=f"{n} complete rows for {p} fixed effects", expected=f"at least {p + 2} rows"))
    for one in random:
        effects = len(one.labels) * max(one.blocks)
        if n <= effects and (weights is None or (weights == weights[0]).all()):
            found.append(
                Problem(
                    found=f"{effects} random effects from {n} rows",
                    expected="fewer random effects than rows",
                    advice="Their variance can't be told from the residual variance; leave out random effects.",
                )
            )
    return found


def random_alias_problems(random: Sequence[RandomDesign]) -> list[Problem]:
    """Return one problem for each random-effect column that others of its grouping determine.

    Effects that are independent of each other may depend linearly, as in (1 | id) + (0 + visit || id); but the same
    effect twice has two variances of which only the sum is known.
    """
    found: dict[str, str] = {}
    for grouping in dict.fromkeys(one.grouping for one in random):
        own = [one for one in random if one.grouping == grouping]
        Z = np.concatenate([one.Z for one in own], axis=1)
        names = [name for one in own for name in one.names]
        # Quick, and good enough unless columns are nearly dependent.
        root = gram_root(Z) if len(Z) > TALL else None
        triangle = upper_factor(Z) if root is None else root
        ends = list(accumulate(size for one in own for size in one.blocks))
        sets = [list(range(start, end)) for start, end in pairwise([0, *ends])]
        sets += [[a, b] for one, other in combinations(sets, 2) for a in one for b in other]
        for chosen in sets:
            rank = column_rank(triangle[:, chosen])
            found = aliases(Z[:, chosen], rank, [names[j] for j in chosen]) | found
    return [
        Problem(
            found=f"a random-effect column that is {sentence}",
            expected="one that the columns before it do not determine",
            column=name,
            advice="Leave it out.",
        )
        for name, sentence in found.items()
    ]


def exact_fit_problems(residual: Vector, outcome: Vector, name: str) -> list[Problem]:
    """Return whether the fixed effects leave nothing over."""
    if np.linalg.norm(residual) > EXACT_FIT * np.linalg.norm(outcome):
        return []
    return [Problem(found="an outcome that the fixed effects fit exactly", expected="residuals", column=name)]


def no_maximum() -> SpecError:
    """Return what to raise where random effects reproduce the outcome, so that the likelihood grows without bound."""
    found = "an outcome that the random effects fit exactly"
    advice = "The likelihood has no maximum; leave out random effects."
    return SpecError("fit of a linear mixed model", [Problem(found=found, expected="residuals", advice=advice)])


def missing_problems(missing: Mapping[str, int], n_rows: int) -> list[Problem]:
    """Return why no row is complete."""
    counts = ", ".join(f"{name!r} is missing in {count}" for name, count in missing.items() if count)
    return [
        Problem(found=f"no complete row among {n_rows}", expected="rows without a missing value", advice=f"{counts}.")
    ]


def _atoms(terms: Sequence[tuple[Atom, ...]]) -> list[Atom]:
    return [atom for term in terms for atom in term]
