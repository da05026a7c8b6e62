"""Likelihood-ratio tests of nested trajectory models with equally many classes."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import chi2

from harness.convergence import Stop
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.inference.nesting import at_bounds, differences

_WORSE = 1e-6
"""A larger model whose log-likelihood is this much lower is at no better optimum than the smaller one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedModel:
    """A model of a comparison."""

    name: str
    design: GbtmDesign
    fit: GbtmFit

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return self.design.n_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioRow:
    """One model of the table; `bic` counts subjects."""

    name: str
    n_parameters: int
    log_likelihood: float
    aic: float
    bic: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioTest:
    """Whether `larger` fits better than `smaller` beyond chance.

    `chi_square` is twice the rise of the log-likelihood, referred to the chi-square distribution with `df`, the number
    of parameters more. `remarks` say where that reference does not hold.
    """

    smaller: str
    larger: str
    chi_square: float
    df: int
    p: float
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioTable:
    """Models by number of parameters, and the test of each against the one before."""

    rows: tuple[RatioRow, ...]
    tests: tuple[RatioTest, ...]

    def table(self) -> pd.DataFrame:
        """Return one row a model: parameters, log-likelihood, AIC, BIC, and the test against the model before it."""
        table = pd.DataFrame([asdict(row) for row in self.rows]).set_index("name")
        for name in ("chi_square", "df", "p"):
            table[name] = pd.Series([None, *(getattr(test, name) for test in self.tests)], table.index, dtype=float)
        return table


def likelihood_ratio(models: Sequence[ComparedModel]) -> RatioTable:
    """Return likelihood-ratio tests of each model against the next larger one.

    Parameters
    ----------
    models
        With the same number of classes: of lower orders, without a risk factor, with one sigma in place of K, ...

    Raises
    ------
    SpecError
        If models have different numbers of classes, use other rows or sampling weights, are not nested, have equally
        many parameters, or the larger one has the lower log-likelihood; with all problems at once. R:
        ``pchisq(2 * (m1$loglik - m0$loglik), df, lower.tail = FALSE)``.
    """
    ordered = sorted(models, key=lambda model: model.n_parameters)
    problems = _set_problems(ordered)
    if not problems:
        problems = [problem for first, second in pairwise(ordered) for problem in _pair_problems(first, second)]
    if problems:
        raise SpecError("likelihood ratio", problems)
    return RatioTable(
        rows=tuple(_row(model) for model in ordered),
        tests=tuple(_test(first, second) for first, second in pairwise(ordered)),
    )


def _set_problems(models: Sequence[ComparedModel]) -> list[Problem]:
    problems = []
    if len(models) < 2:
        problems.append(Problem(found=f"{len(models)} model(s)", expected="two or more"))
    classes = sorted({model.design.n_classes for model in models})
    if len(classes) > 1:
        advice = "Where classes are compared with fewer classes no chi-square holds: use blrt()."
        expected = "models with the same number of classes"
        problems.append(Problem(found=f"models of {classes} classes", expected=expected, advice=advice))
    if any(model.design.spec.weights is not None for model in models):
        found, expected = "sampling weights", "a likelihood, which weighted sums of logarithms are not"
        problems.append(Problem(found=found, expected=expected, advice="Use wald(), with the sandwich."))
    return problems


def _pair_problems(smaller: ComparedModel, larger: ComparedModel) -> Iterator[Problem]:
    names = f"{smaller.name!r} and {larger.name!r}"
    reasons = list(differences(smaller.design, larger.design))
    yield from (Problem(found=f"{names}: {reason}", expected="nested models of the same rows") for reason in reasons)
    if smaller.n_parameters == larger.n_parameters:
        found = f"{names}: {larger.n_parameters} parameters each"
        yield Problem(found=found, expected="a smaller and a larger model")
    fall = smaller.fit.log_likelihood - larger.fit.log_likelihood
    if not reasons and fall > _WORSE:
        found = f"{names}: a log-likelihood that falls by {fall:.3g}"
        advice = "The larger model is not at its best optimum: raise its n_starts, or start it from the smaller one."
        yield Problem(found=found, expected="a larger model that fits no worse", advice=advice)


def _row(model: ComparedModel) -> RatioRow:
    k, L = model.n_parameters, model.fit.log_likelihood
    bic = -2 * L + k * float(np.log(model.design.n_subjects))
    return RatioRow(name=model.name, n_parameters=k, log_likelihood=L, aic=-2 * L + 2 * k, bic=bic)


def _test(smaller: ComparedModel, larger: ComparedModel) -> RatioTest:
    chi_square = max(2 * (larger.fit.log_likelihood - smaller.fit.log_likelihood), 0.0)
    df = larger.n_parameters - smaller.n_parameters
    return RatioTest(
        smaller=smaller.name,
        larger=larger.name,
        chi_square=chi_square,
        df=df,
        p=float(chi2.sf(chi_square, df)),
        remarks=tuple(_remarks(smaller, larger)),
    )


def _remarks(smaller: ComparedModel, larger: ComparedModel) -> Iterator[str]:
    for model in (smaller, larger):
        stop = model.fit.convergence.stop
        if stop in {Stop.BOUNDARY, Stop.SINGULAR}:
            yield f"{model.name!r} ended at a {stop.value}: chi-square is an approximation that no theory backs."
        elif not model.fit.convergence.converged:
            yield f"{model.name!r} ended at a {stop.value}. {model.fit.convergence.next_step}"
    pairs = zip(smaller.design.outcomes, larger.design.outcomes, strict=True)
    for what in dict.fromkeys(what for one, other in pairs for what in at_bounds(one.spec, other.spec)):
        yield f"In the smaller model {what} is at its bound: chi-square is conservative."
