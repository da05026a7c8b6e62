"""What each engine of R gives of a mixed model, computed by us under that engine's definitions."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np

from harness.arrays import Vector
from harness.formula import Term
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fitted import Fitted
from harness.lmm.inference.contrasts import JointTest, joint_test_of_rows
from harness.lmm.inference.fixed_effects import FixedEffects, fixed_effects
from harness.lmm.inference.hypotheses import Type, term_hypotheses
from harness.lmm.inference.quantities import (
    coefficient_quantities,
    effect_quantities,
    interval_quantities,
    mean_quantities,
    table_quantities,
)
from harness.lmm.inference.sandwich import robust_effects
from harness.lmm.inference.table import ContrastTable, coefficient_table
from harness.lmm.likelihood.profile import profile_intervals
from harness.lmm.means.grid import mean_functions
from harness.lmm.means.marginal import MarginalMeans, by_values, described
from harness.lmm.means.multiplicity import Simultaneous
from harness.quantities import Quantity

Given = tuple[LmmDesign, Fitted, LmmEstimates]
TYPES: Mapping[str, Type] = {"type1": "I", "type2": "II", "type3": "III"}


def quantities_for(engine: str, design: LmmDesign, fit: Fitted, estimates: LmmEstimates) -> tuple[Quantity, ...]:
    """Return what the engine gives of a model, all of its estimates unless it is one for inference."""
    given = design, fit, estimates
    return tuple(_DEFINED.get(engine, _estimated)(given))


def mean_columns(terms: Sequence[Term], factors: Collection[str]) -> tuple[str, ...]:
    """Return the factors whose marginal means are compared: the first two of the fixed part."""
    named = dict.fromkeys(atom.column for term in terms for atom in term if atom.column in factors)
    return tuple(named)[:2]


def _estimated(given: Given) -> Iterator[Quantity]:
    yield from given[2].quantities()


def _without_modes(given: Given) -> Iterator[Quantity]:
    yield from (quantity for quantity in given[2].quantities() if not quantity.path.startswith("mode["))


def _lmertest(given: Given) -> Iterator[Quantity]:
    design, fit, _ = given
    effects = fixed_effects(fit, design, "satterthwaite")
    yield from _effects(given)
    yield from _coefficient_tests("satterthwaite", coefficient_table(effects))
    for name, kind in TYPES.items():
        hypotheses = term_hypotheses(design, kind)
        tests = {one.term: joint_test_of_rows(effects, one.rows) for one in hypotheses}
        yield from _tests(f"satterthwaite.{name}", tests)
    rows = np.eye(len(design.fixed_names))[[name != "intercept" for name in design.fixed_names]]
    if len(rows):
        yield from _tests("satterthwaite.joint", {"all": joint_test_of_rows(effects, rows)})


def _pbkrtest(given: Given) -> Iterator[Quantity]:
    design, fit, _ = given
    effects = fixed_effects(fit, design, "kenward-roger")
    yield from _effects(given)
    yield from _coefficient_tests("kenward-roger", coefficient_table(effects), own_errors=True)
    yield from _tests("kenward-roger.term", _by_term(effects, design), scaled=True)


def _emmeans(given: Given) -> Iterator[Quantity]:
    design, fit, estimates = given
    yield from _effects(given)
    columns = mean_columns([coded.term for coded in design.coded_terms], design.frame.levels.keys())
    functions = mean_functions(design, columns)
    adjusted = estimates.criterion == "REML" and design.weights is None
    for method in ("satterthwaite", *(["kenward-roger"] if adjusted else [])):
        means = described(functions, fixed_effects(fit, design, method))
        pairs = means.contrasts("pairwise", by=columns[1:], adjust="none")
        yield from _means(means, method, "means")
        yield from _means(pairs, method, "contrasts", tukey=_tukey(pairs))


def _tukey(pairs: MarginalMeans) -> Vector:
    """Return p-values adjusted for all pairs of a family; without intervals, which take far longer."""
    p = np.full(len(pairs.p), np.nan)
    for _, members in by_values(pairs.functions, pairs.by):
        own = members[~np.isnan(pairs.estimate[members])]
        at_once = Simultaneous(adjust="tukey", n_means=pairs.n_means, correlation=np.eye(len(own)))
        p[own] = at_once.p_values(pairs.t[own], pairs.df[own])
    return p


def _means(means: MarginalMeans, method: str, table: str, tukey: Vector | None = None) -> Iterator[Quantity]:
    yield from mean_quantities(
        method,
        table,
        [",".join(label) for label in means.functions.labels],
        estimable=~np.isnan(means.estimate),
        numbers={
            "estimate": means.estimate,
            "standard_error": means.standard_error,
            "df": means.df,
            "lower": means.lower,
            "upper": means.upper,
            "statistic": means.t,
            "p_value": means.p,
        },
        tukey=tukey,
    )


def _clubsandwich(given: Given) -> Iterator[Quantity]:
    design, fit, _ = given
    yield from _effects(given)
    plain = coefficient_table(robust_effects(fit, design, "CR0"))
    yield from coefficient_quantities("CR0", design.fixed_names, standard_error=plain.standard_error[plain.estimable])
    tested = coefficient_table(robust_effects(fit, design, "CR2"))
    yield from _coefficient_tests("CR2", tested, own_errors=True)


def _mmrm(given: Given) -> Iterator[Quantity]:
    design, fit, estimates = given
    yield from estimates.quantities()
    for method in ("satterthwaite", *(["kenward-roger-observed-linear"] if estimates.criterion == "REML" else [])):
        effects = fixed_effects(fit, design, method)
        yield from _coefficient_tests(method, coefficient_table(effects), own_errors=method != "satterthwaite")
        yield from _tests(f"{method}.term", _by_term(effects, design))


def _profile(given: Given) -> Iterator[Quantity]:
    design = given[0]
    yield from _effects(given)
    found = profile_intervals(design)
    ends = np.array([(one.lower, one.upper) for one in found])
    yield from interval_quantities("profile", [one.parameter for one in found], ends[:, 0], ends[:, 1])


def _effects(given: Given) -> Iterator[Quantity]:
    _, _, estimates = given
    yield from effect_quantities(
        estimates.fixed_names,
        estimates.beta,
        estimates.vcov,
        log_likelihood=estimates.log_likelihood,
        n_observations=estimates.n_observations,
        n_subjects=estimates.n_subjects,
    )


def _coefficient_tests(method: str, table: ContrastTable, *, own_errors: bool = False) -> Iterator[Quantity]:
    """Yield the t tests of the coefficients that the data determine."""
    kept = np.flatnonzero(table.estimable)
    yield from coefficient_quantities(
        method,
        [table.names[j] for j in kept],
        statistic=table.t[kept],
        df=table.df[kept],
        p_value=table.p[kept],
        standard_error=table.standard_error[kept] if own_errors else None,
    )


def _by_term(effects: FixedEffects, design: LmmDesign) -> dict[str, JointTest]:
    """Return the test of each term that all its coefficients, in the coding at hand, are zero."""
    tests = {}
    for hypothesis, coded in zip(term_hypotheses(design, "I"), (c for c in design.coded_terms if c.term), strict=True):
        own = np.isin(design.fixed_names, coded.names)
        if own.any():
            tests[hypothesis.term] = joint_test_of_rows(effects, np.eye(len(own))[own])
    return tests


def _tests(table: str, tests: Mapping[str, JointTest], *, scaled: bool = False) -> Iterator[Quantity]:
    found = list(tests.values())
    yield from table_quantities(
        table,
        tuple(tests),
        statistic=np.array([test.F for test in found]),
        df1=np.array([test.df1 for test in found], dtype=float),
        df2=np.array([test.df2 for test in found]),
        p_value=np.array([test.p for test in found]),
        scaling=np.array([test.scaling for test in found]) if scaled else None,
    )


_DEFINED: Mapping[str, Callable[[Given], Iterator[Quantity]]] = {
    "lmerTest": _lmertest,
    "pbkrtest": _pbkrtest,
    "emmeans": _emmeans,
    "clubSandwich": _clubsandwich,
    "glmmTMB": _without_modes,
    "lme4_profile": _profile,
    "mmrm": _mmrm,
}
