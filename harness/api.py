"""What a notebook needs: fit a model to a DataFrame or a Cohort, and compare the fit with R.

>>> fit = fit_lmm("madrs ~ visit * protocol + (1 + week | id)", data)
>>> print(fit.summary())
>>> comparison = compare(fit, reference="lme4")
"""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pandas as pd

from harness.cases import Case, default_references
from harness.cohorts import Cohort, cohort_from_frame
from harness.columns_of_frames import present
from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison
from harness.crosscheck import References, compare_with
from harness.engines import OurGbtm, OurLmm, with_found_orders
from harness.errors import EngineError, Problem, SpecError, nearest
from harness.formula import Formula, formula_text, parse_formula
from harness.gbtm.result import GbtmResult
from harness.lmm.engine import fitted
from harness.lmm.likelihood.bootstrap_ratio import BootstrapRatio, bootstrap_ratio_fit
from harness.lmm.likelihood.ratio import ComparedModel, RatioTable
from harness.lmm.likelihood.ratio import likelihood_ratio as ratio_table
from harness.lmm.prediction.simulation import checked_replicates
from harness.lmm.result import LmmResult, fit_lmm_cohort
from harness.lmm.spec import Criterion, LmmSpec
from harness.lmm.storage.reading import read_fit
from harness.lmm.storage.stored import StoredLmm
from harness.peers.session import live_engines
from harness.roster import engines_of


def fit_lmm(
    formula: str | Formula,
    data: pd.DataFrame | Cohort,
    criterion: Criterion = "REML",
    *,
    weights: str | None = None,
) -> LmmResult:
    """Fit a linear mixed model: random effects, nested or crossed, and residuals that covary over visits.

    Parameters
    ----------
    formula
        As in lme4, e.g. ``"madrs ~ visit * protocol + (1 + week | id)"``, and for residual covariances as in mmrm,
        e.g. ``"madrs ~ visit * protocol + us(visit | id)"``; `harness.formula` has the grammar.
    data
        One row a visit. Of a DataFrame only the columns of the formula are read; numbers are numeric, texts,
        categories and booleans are factors (a category's own order is kept), the grouping column is always a factor.
    criterion
        "REML" or "ML".
    weights
        A column of prior weights > 0: the residual variance of a row is sigma^2 / weight.

    Returns
    -------
    LmmResult
        In R: ``lme4::lmer(formula, data, REML = criterion == "REML", weights = w)``, ``mmrm::mmrm(formula, data)``.

    Raises
    ------
    FormulaError, CohortError, SpecError
        With everything that is wrong with the formula, the columns, or the model for these data.
    """
    problems = _lmm_problems(formula, criterion, weights)
    if problems:
        raise SpecError("fit_lmm", problems)
    tree = parse_formula(formula) if isinstance(formula, str) else formula
    spec = LmmSpec(formula=tree, criterion=criterion, weights=weights)
    cohort = data if isinstance(data, Cohort) else _lmm_cohort(spec, data)
    return fit_lmm_cohort(spec, cohort)


def _lmm_problems(formula: object, criterion: object, weights: object) -> list[Problem]:
    """Return what is wrong with the types of arguments, and with the criterion."""
    found: list[Problem] = []
    if not isinstance(formula, str | Formula):
        expected = "a text such as 'madrs ~ week + (1 | id)'"
        found.append(Problem(found=f"a formula of type {type(formula).__name__}", expected=expected))
    if not isinstance(criterion, str) or criterion not in get_args(Criterion):
        found.append(Problem(found=f"criterion {criterion!r:.40}", expected="'REML' or 'ML'"))
    if weights is not None and not isinstance(weights, str):
        expected = "the name of the column that holds them"
        found.append(Problem(found=f"weights of type {type(weights).__name__}", expected=expected))
    return found


def _lmm_cohort(spec: LmmSpec, data: pd.DataFrame) -> Cohort:
    """Return the columns of a model; whatever it groups by or codes is a factor."""
    formula = spec.formula
    if not formula.subject:
        expected = "random effects or a residual structure, such as (1 | id) or us(visit | id)"
        raise SpecError("fit_lmm", [Problem(found="independent rows", expected=expected)])
    factors = [name for random in formula.random for name in random.grouping]
    if formula.residual is not None:
        factors += filter(None, (formula.residual.subject, formula.residual.by))
    terms = (*formula.terms, *(term for random in formula.random for term in random.terms))
    factors += [atom.column for term in terms for atom in term if atom.coding is not None]
    columns = present(data, spec.columns, "fit_lmm")
    return cohort_from_frame(data, subject=formula.subject[0], columns=columns, factors=factors)


def likelihood_ratio(*fits: LmmResult, refit: bool = True) -> RatioTable:
    """Test nested mixed models against each other, each against the next larger one.

    Parameters
    ----------
    fits
        Two or more fits of the same rows; their formulas name them in the table.
    refit
        REML fits are refitted by ML first; with False they are compared as they are, which needs equal fixed parts.

    Returns
    -------
    RatioTable
        In R: ``anova(m0, m1)``, ``anova(m0, m1, refit = FALSE)``.

    Raises
    ------
    SpecError
        If the models use other rows or weights, are not nested, or a larger one fits worse; all problems are listed.
    """
    _require_fits("likelihood_ratio", fits)
    models = [
        ComparedModel(
            name=formula_text(fit.spec.formula),
            design=fit.design,
            fit=fit.fit,
            n_covariance=fit.estimates.n_parameters - fit.design.n_fixed,
        )
        for fit in fits
    ]
    return ratio_table(models, lambda design: fitted(design)[0], refit=refit)


def bootstrap_ratio(smaller: LmmResult, larger: LmmResult, *, replicates: int = 1000, seed: int) -> BootstrapRatio:
    """Test a mixed model against a larger one by outcomes simulated under the smaller one, both refitted by ML.

    Returns
    -------
    BootstrapRatio
        In R: ``pbkrtest::PBmodcomp(larger, smaller, nsim = replicates)``.

    Raises
    ------
    SpecError
        As `likelihood_ratio` does, or if the seed or the number of replicates can't be.
    """
    _require_fits("bootstrap_ratio", (smaller, larger))
    checked_replicates(replicates, seed, "bootstrap_ratio")
    return bootstrap_ratio_fit(smaller.design, larger.design, seed=seed, replicates=int(replicates))


def load_fit(path: Path | str) -> StoredLmm:
    """Read a fit that `LmmResult.save` wrote; it predicts and tests contrasts without the data.

    Raises
    ------
    CaseError
        If the file is no stored fit, was edited, or has another version; all problems are listed.
    """
    return read_fit(Path(path))


def compare(fit: LmmResult | GbtmResult, reference: str | None = None) -> Comparison:
    """Fit the same model to the same data with R and judge every quantity.

    Parameters
    ----------
    fit
        From `fit_lmm` or `fit_gbtm`.
    reference
        For a mixed model "lme4" (default), "nlme" or "mmrm" (defaults where residuals have a structure), or "glmmTMB";
        for its tests "lmerTest", "pbkrtest", "emmeans" or "clubSandwich"; "lme4_profile" for intervals, "lme4_default"
        for lme4 as it stops by default. For a trajectory model "lcmm" (default if gaussian), "flexmix" (default
        of logit and Poisson classes), "trajeR" (of the other families) or "crimCV"; of one class, where not gaussian,
        "glm", "survreg", "zeroinfl" or "glmmTMB_beta", by family.

    Returns
    -------
    Comparison
        One verdict a quantity, the evidence between the two engines, and the cause of a disagreement.

    Raises
    ------
    SpecError
        If the reference has no such model.
    EngineError
        If R or its package is not installed.
    """
    ours = _our_side(fit)
    names = ours.case.references
    name = default_references(ours.case.spec)[0] if reference is None else reference
    if name not in names:
        problem = Problem(
            found=f"reference {name!r}", expected=f"one of {', '.join(names)}", advice=nearest(name, names)
        )
        raise SpecError("compare", [problem])
    with live_engines() as live:
        if name not in live:
            raise EngineError(name, "absent", "it is not installed; `harness doctor` tells what to install")
        found = compare_with(ours, name, References(live=live))
    if isinstance(found, Skipped):
        raise EngineError(name, "refused", found.reason)
    return found


def _our_side(fit: LmmResult | GbtmResult) -> OurLmm | OurGbtm:
    kind = "lmm" if isinstance(fit, LmmResult) else "gbtm"
    case = Case(name=fit.cohort.name, cohort=fit.cohort, spec=fit.spec, references=engines_of(kind))
    if isinstance(fit, LmmResult):
        return OurLmm(case=case, result=fit, seconds=None)
    return OurGbtm(case=with_found_orders(case, fit), result=fit, seconds=None)


def _require_fits(where: str, fits: Iterable[object]) -> None:
    problems = [
        Problem(found=f"a model of type {type(fit).__name__}", expected="a fit, as `fit_lmm` returns it")
        for fit in fits
        if not isinstance(fit, LmmResult)
    ]
    if problems:
        raise SpecError(where, problems)
