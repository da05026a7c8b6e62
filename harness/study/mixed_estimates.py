"""Estimates of a section from what a mixed model gives: coefficients, marginal means, contrasts of them."""

from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.inference.table import coefficient_table
from harness.lmm.means.marginal import MarginalMeans
from harness.lmm.result import LmmResult
from harness.study.cross_check import Asked
from harness.study.section import Cell, CrossCheck, Estimate
from harness.study.shown import p_words

METHOD = "kenward-roger"
"""For degrees of freedom, of all models that have it."""


def of_mean(
    means: MarginalMeans, k: int, *, path: str, label: str, n: int | None, check: CrossCheck, tested: bool = True
) -> Estimate:
    """Return one mean or contrast; `tested` says whether its p value means something."""
    return Estimate(
        path=path,
        label=label,
        value=float(means.estimate[k]),
        standard_error=float(means.standard_error[k]),
        lower=float(means.lower[k]),
        upper=float(means.upper[k]),
        p=float(means.p[k]) if tested else None,
        denominator=n,
        check=check,
    )


def of_term(fit: LmmResult, term: str, asked: Asked, *, path: str, label: str, n: int | None) -> tuple[Estimate, str]:
    """Return the F test of a term, and the test in words."""
    table = fit.anova("III", METHOD)
    k = [hypothesis.term for hypothesis in table.hypotheses].index(term)
    p = float(table.p[k])
    paths = (f"{METHOD}.term[{term}].{what}" for what in ("statistic", "df1", "df2", "p_value"))
    estimate = Estimate(path=path, label=label, value=float(table.F[k]), p=p, denominator=n, check=asked.of(*paths))
    return estimate, f"F({table.df1[k]:.0f}, {table.df2[k]:.1f}) = {table.F[k]:.2f}, {p_words(p)}"


def coefficients(
    effects: FixedEffects, asked: Asked, wanted: dict[str, tuple[str, str]], n: int | None
) -> tuple[Estimate, ...]:
    """Return coefficients that the data determine.

    Parameters
    ----------
    effects
        Under one method for degrees of freedom.
    asked
        R's verdict on the model.
    wanted
        By the name of the coefficient, the path and the label of the estimate.
    n
        Patients.
    """
    table = coefficient_table(effects)
    found = []
    for j, name in enumerate(table.names):
        if name not in wanted or not table.estimable[j]:
            continue
        path, label = wanted[name]
        found.append(
            Estimate(
                path=path,
                label=label,
                value=float(table.estimate[j]),
                standard_error=float(table.standard_error[j]),
                lower=float(table.lower[j]),
                upper=float(table.upper[j]),
                p=float(table.p[j]),
                denominator=n,
                check=asked.of(*_paths(asked, effects, name)),
            )
        )
    return tuple(found)


def _paths(asked: Asked, effects: FixedEffects, name: str) -> tuple[str, ...]:
    """Return the quantities of R on which a coefficient rests: with degrees of freedom where R's engine gives them."""
    if asked.gives_tests:
        own = f"{effects.method.name}.fixed[{name}]"
        return (f"fixed[{name}].estimate", *(f"{own}.{what}" for what in ("standard_error", "df", "p_value")))
    return (f"fixed[{name}].estimate", f"fixed[{name}].standard_error")


def row_of(estimate: Estimate) -> tuple[Cell, ...]:
    """Return estimate, standard error and limits as cells."""
    return (estimate.value, estimate.standard_error, estimate.lower, estimate.upper)
