"""Likelihood-ratio tests of nested models, refitted by ML unless only their random parts differ and that is asked for.

R: ``anova(m0, m1)``, ``anova(m0, m1, refit = FALSE)``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.stats import chi2

from harness.convergence import Convergence, Stop
from harness.errors import Problem, SpecError
from harness.lmm.design import LmmDesign
from harness.lmm.likelihood.nesting import (
    Aligned,
    aligned,
    joined_block,
    new_variances,
    outside,
    random_part_nested,
    residual_part_nested,
    same_span,
)
from harness.lmm.spec import Criterion

# A larger model that is this much worse (relative to its deviance) does not contain the smaller one, or is no optimum.
_WORSE = 1e-9


class Maximum(Protocol):
    """What a ratio test needs of a fit by any engine."""

    @property
    def deviance(self) -> float:
        """-2 log-likelihood, restricted under REML."""
        ...

    @property
    def convergence(self) -> Convergence:
        """How the search ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedModel:
    """A model of a comparison: its design, its fit, and how many covariance parameters it has, sigma among them."""

    name: str
    design: LmmDesign
    fit: Maximum
    n_covariance: int

    @property
    def n_parameters(self) -> int:
        """Fixed effects and covariance parameters."""
        return self.design.n_fixed + self.n_covariance


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioRow:
    """One model of the table; `aic` and `bic` count as lme4's do."""

    name: str
    n_parameters: int
    criterion: Criterion
    deviance: float
    aic: float
    bic: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioTest:
    """Whether `larger` fits better than `smaller` beyond chance.

    `chi_square` is the fall of the deviance, referred to the chi-square distribution with `df`. Where the larger model
    has variances that are zero in the smaller one that is conservative; `mixture_p` is then the p value by
    0.5 chi2(k) + 0.5 chi2(k + 1), if the one new random effect covaries with k others, nothing else differs, and the
    smaller model is not on a bound itself (Self & Liang 1987; Stram & Lee 1994, case 3); else it is None. `remarks` say
    what could not be checked.
    """

    smaller: str
    larger: str
    chi_square: float
    df: int
    p: float
    mixture_p: float | None
    mixture: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioTable:
    """Models by number of parameters, and the test of each against the one before."""

    rows: tuple[RatioRow, ...]
    tests: tuple[RatioTest, ...]

    def table(self) -> pd.DataFrame:
        """Return one row a model: parameters, deviance, AIC, BIC, and the test against the model before it."""
        table = pd.DataFrame([asdict(row) for row in self.rows]).set_index("name")
        for name in ("chi_square", "df", "p", "mixture_p"):
            table[name] = pd.Series([None, *(getattr(test, name) for test in self.tests)], table.index, dtype=float)
        return table


def likelihood_ratio(
    models: Sequence[ComparedModel], fit: Callable[[LmmDesign], Maximum], *, refit: bool = True
) -> RatioTable:
    """Return likelihood-ratio tests of each model against the next larger one.

    Models fitted by REML are refitted by ML with `fit`, since restricted likelihoods of different fixed parts are those
    of different data. With ``refit=False`` they are compared as they are, if their fixed parts span the same space.

    Raises
    ------
    SpecError
        If models use other rows or weights, are not nested as far as can be told, have equally many parameters, or the
        larger one has the lower likelihood; all problems are listed.
    """
    ordered = sorted(models, key=lambda model: model.n_parameters)
    _raise_if(_set_problems(ordered, refit=refit))
    compared = [_by_ml(model, fit) for model in ordered] if refit else ordered
    pairs = [(first, second, aligned(first.design, second.design)) for first, second in pairwise(compared)]
    _raise_if([problem for first, second, pair in pairs for problem in _pair_problems(first, second, pair)])
    return RatioTable(
        rows=tuple(_row(model) for model in compared),
        tests=tuple(_test(first, second, pair) for first, second, pair in pairs if pair is not None),
    )


def ratio_p_value(chi_square: float, df: int) -> float:
    """Return P(chi2(df) >= chi_square); df 0 is the point mass at zero."""
    return float(chi2.sf(chi_square, df)) if df > 0 else float(chi_square <= 0)


def _by_ml(model: ComparedModel, fit: Callable[[LmmDesign], Maximum]) -> ComparedModel:
    if model.design.criterion == "ML":
        return model
    design = replace(model.design, criterion="ML")
    return replace(model, design=design, fit=fit(design))


def _set_problems(models: Sequence[ComparedModel], *, refit: bool) -> list[Problem]:
    problems = []
    if len(models) < 2:
        problems.append(Problem(found=f"{len(models)} models", expected="two or more"))
    if len({model.name for model in models}) < len(models):
        problems.append(Problem(found=f"names {[model.name for model in models]!r}", expected="each name once"))
    criteria = {model.design.criterion for model in models}
    if not refit and len(criteria) > 1:
        advice = "Compare with refit=True."
        problems.append(Problem(found="fits by ML and by REML", expected="one criterion", advice=advice))
    return problems


def _pair_problems(smaller: ComparedModel, larger: ComparedModel, pair: Aligned | None) -> list[Problem]:
    names = f"{smaller.name!r} and {larger.name!r}"
    if pair is None:
        found = (
            f"{names}: other rows, outcomes or weights "
            f"({smaller.design.n_observations} and {larger.design.n_observations} rows)"
        )
        advice = "Leave out rows with a missing value in any column of either model before fitting."
        return [Problem(found=found, expected="the same rows of one cohort", advice=advice)]
    problems = []
    if larger.n_parameters == smaller.n_parameters:
        found = f"{names}: {larger.n_parameters} parameters each"
        problems.append(Problem(found=found, expected="a smaller and a larger model"))
    beyond = [smaller.design.fixed_names[j] for j in outside(*pair.X)]
    if beyond:
        found = f"{names}: {', '.join(beyond)} not among the fixed effects of {larger.name!r} or their combinations"
        problems.append(Problem(found=found, expected="nested models"))
    elif smaller.design.criterion == "REML" and not same_span(*pair.X):
        found = f"{names}: restricted likelihoods of different fixed effects"
        problems.append(Problem(found=found, expected="the same fixed part, or ML", advice="Compare with refit=True."))
    if not random_part_nested(pair) and larger.design.residual is None:
        found = f"{names}: random effects of {smaller.name!r} that {larger.name!r} doesn't have"
        problems.append(Problem(found=found, expected="nested models"))
    if residual_part_nested(smaller.design.residual, larger.design.residual) is False:
        found = f"{names}: a residual structure that is no special case of that of {larger.name!r}"
        problems.append(Problem(found=found, expected="nested models"))
    rise = -_fall(smaller, larger)
    if not problems and rise > _WORSE * abs(smaller.fit.deviance):
        found = f"{names}: a deviance that rises by {rise:.3g}"
        advice = "The models are not nested, or a fit is not at its optimum: see its convergence."
        problems.append(Problem(found=found, expected="a larger model that fits no worse", advice=advice))
    return problems


def _raise_if(problems: list[Problem]) -> None:
    if problems:
        raise SpecError("likelihood ratio", problems)


def _row(model: ComparedModel) -> RatioRow:
    k, deviance = model.n_parameters, model.fit.deviance
    return RatioRow(
        name=model.name,
        n_parameters=k,
        criterion=model.design.criterion,
        deviance=deviance,
        aic=deviance + 2 * k,
        bic=deviance + k * float(np.log(model.design.n_observations)),
    )


def _test(smaller: ComparedModel, larger: ComparedModel, pair: Aligned) -> RatioTest:
    chi_square = max(_fall(smaller, larger), 0.0)  # `_pair_problems` let only rounding through
    df = larger.n_parameters - smaller.n_parameters
    k = joined_block(pair) if smaller.fit.convergence.stop is Stop.OPTIMUM else None
    if k is not None and (df != k + 1 or smaller.design.residual != larger.design.residual):
        k = None
    return RatioTest(
        smaller=smaller.name,
        larger=larger.name,
        chi_square=chi_square,
        df=df,
        p=ratio_p_value(chi_square, df),
        mixture_p=None if k is None else (ratio_p_value(chi_square, k) + ratio_p_value(chi_square, k + 1)) / 2,
        mixture="" if k is None else f"0.5 chi2({k}) + 0.5 chi2({k + 1})",
        remarks=tuple(_remarks(smaller, larger, pair)),
    )


def _fall(smaller: ComparedModel, larger: ComparedModel) -> float:
    """Return by how much the deviance falls, fixed parts that REML codes differently brought to one coding.

    The restricted deviance moves by 2 log|det T| where X becomes XT; anova of R does not take that off.
    """
    fall = smaller.fit.deviance - larger.fit.deviance
    if smaller.design.criterion == "ML":
        return fall
    return fall - _log_det_cross(smaller.design) + _log_det_cross(larger.design)


def _log_det_cross(design: LmmDesign) -> float:
    """Return log|X'X|, rows times the roots of their weights."""
    return 2 * float(np.log(np.abs(np.diag(design.conditioned.triangle))).sum())


def _remarks(smaller: ComparedModel, larger: ComparedModel, pair: Aligned) -> Iterator[str]:
    for model in (smaller, larger):
        if not model.fit.convergence.converged:
            yield f"The fit of {model.name!r} has not converged: {model.fit.convergence.message}"
    if new_variances(pair) > 0:
        yield "A variance of the larger model is on its bound in the smaller one: chi-square is conservative."
    if smaller.fit.convergence.stop is Stop.SINGULAR:
        yield f"The fit of {smaller.name!r} is singular: chi-square is an approximation that no theory backs."
    if residual_part_nested(smaller.design.residual, larger.design.residual) is None or not random_part_nested(pair):
        yield "Whether one covariance structure is a special case of the other could not be told."
