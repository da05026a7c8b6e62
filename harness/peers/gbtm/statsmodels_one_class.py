"""statsmodels' regressions as trajectory models of one class: OLS, GLM, ZeroInflatedPoisson, BetaModel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from harness.arrays import Matrix, Vector
from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.gbtm.design import GbtmDesign
from harness.gbtm.estimates import GbtmEstimates
from harness.gbtm.response_building import power_name
from harness.peers.adapter import Fitted
from harness.quantities import InputEvidence, ObjectiveValue, Point
from harness.references.gbtm_answers import Criteria, mixture_estimates, the_design, the_gbtm
from harness.references.gbtm_answers import Fitted as FittedMixture
from harness.references.one_class import regression_support

NEAR = 1e-3
"""Within this distance of the maximum, in standard errors by its own derivatives, a reported failure is overruled."""

_REMARKS = {
    "gaussian": (
        "OLS divides the residual sum of squares by n - p; sigma and the standard errors are moved to n.",
        "OLS does not count sigma in AIC and BIC; it is added.",
    ),
    "beta": ("The standard error of the precision follows from that of its logarithm by the delta method.",),
}


class StatsmodelsOneClass:
    """statsmodels as a reference for one class; the rows of a regression are independent and alike."""

    package = "statsmodels"

    def support(self, spec: Spec) -> Support:
        """Return what statsmodels can do with the model."""
        supported = regression_support("statsmodels_one_class", _REGRESSIONS, spec)
        if supported.fit and the_gbtm(spec).knots:
            return Support(fit=False, objective=False, reason="Splines of time are not translated to statsmodels.")
        return supported

    def fit(self, case: Case, start: Point | None) -> Fitted:
        """Return the fit from statsmodels' own start; from `start` where the regression is found by a search."""
        regression = _regression(case)
        found = regression.fit(None if start is None else np.array(start))
        values = np.array(found.values)
        mixture = FittedMixture(
            design=regression.design,
            membership=np.zeros((1, 1)),
            values=values,
            posterior=np.ones((regression.n_subjects, 1)),
            covariance=found.covariance,
        )
        estimates = mixture_estimates(
            mixture,
            found.criteria,
            n_observations=regression.n_rows,
            n_subjects=regression.n_subjects,
            subject_labels=regression.design.subject_labels,
        )
        without_sigma = regression.design.spec.family == "gaussian"
        return Fitted(
            estimates=_without_last_error(estimates) if without_sigma else estimates,
            optimum=tuple(map(float, values)),
            evidence=regression.evidence(),
            convergence=found.convergence,
        )

    def log_likelihoods(self, case: Case, points: Sequence[tuple[str, Point]]) -> Sequence[ObjectiveValue]:
        """Return statsmodels' log-likelihood at the points."""
        regression = _regression(case)
        return tuple(
            ObjectiveValue(label=label, point=point, log_likelihood=regression.log_likelihood(np.array(point)))
            for label, point in points
        )

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return how the regression is run and what was changed of its numbers."""
        return (
            "A regression is a mixture of one class.",
            "It gets our columns: how factors and terms are coded is not checked by it.",
            *_REMARKS.get(the_gbtm(spec).family, ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:
        """Return what a regression does not know."""
        sigma = {"sigma.standard_error": "OLS gives no standard error of sigma."}
        return {
            "bic_subjects.penalty": "statsmodels counts rows in BIC.",
            **(sigma if the_gbtm(spec).family == "gaussian" else {}),
        }


ADAPTER = StatsmodelsOneClass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """A regression's parameters as in a `Point`, their covariance, and what follows from them."""

    values: Vector
    covariance: Matrix
    criteria: Criteria
    convergence: Convergence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Regression:
    """A model of statsmodels on our columns. `fit` starts at a `Point` or at its own; `log_likelihood` is at one."""

    model: Any
    design: GbtmDesign
    fit: Callable[[Vector | None], _Found]
    log_likelihood: Callable[[Vector], float]

    @property
    def n_rows(self) -> int:
        """Rows that statsmodels holds."""
        return len(self.model.endog)

    @property
    def n_subjects(self) -> int:
        """Distinct labels of the rows that statsmodels holds."""
        return len(set(self.model.data.row_labels))

    def evidence(self) -> InputEvidence:
        """Return what statsmodels holds; of successes among trials the successes."""
        rows, spec = self.design.outcomes[0].rows, self.design.spec
        powers = [power_name(str(spec.time), k) for k in range(max(spec.orders) + 1)]
        endog = self.model.data.orig_endog.to_numpy()
        return InputEvidence(
            n_observations=self.n_rows,
            n_subjects=self.n_subjects,
            outcome_sum=float(np.sum(endog if endog.ndim == 1 else endog[:, 0])),
            design_sums=dict(
                zip(
                    [*powers, *rows.covariates.names, *rows.common.names],
                    self.model.exog.sum(axis=0).tolist(),
                    strict=True,
                )
            ),
        )


def _regression(case: Case) -> _Regression:
    design = the_design(case)
    return _REGRESSIONS[design.spec.family](design)


def _ols(design: GbtmDesign) -> _Regression:
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415  # slow to import, seldom needed

    model = OLS(_outcome(design), _columns(design))

    def fit(_: Vector | None) -> _Found:
        result = model.fit(method="qr")
        n = int(result.nobs)
        sigma = np.sqrt(result.ssr / n)
        covariance = np.zeros((len(result.params) + 1,) * 2)
        covariance[:-1, :-1] = result.cov_params() * (result.df_resid / n)
        return _Found(
            values=np.append(result.params, sigma),
            covariance=covariance,
            criteria=Criteria(
                log_likelihood=float(result.llf),
                n_parameters=len(result.params) + 1,
                aic=float(result.aic) + 2,
                bic_observations=float(result.bic) + float(np.log(n)),
            ),
            convergence=Convergence(stop=Stop.OPTIMUM, message="least squares have a closed form"),
        )

    return _Regression(
        model=model,
        design=design,
        fit=fit,
        log_likelihood=lambda point: float(model.loglike(point[:-1], scale=point[-1] ** 2)),
    )


def _glm(design: GbtmDesign) -> _Regression:
    from statsmodels.genmod import families  # noqa: PLC0415  # as above
    from statsmodels.genmod.generalized_linear_model import GLM  # noqa: PLC0415

    poisson = design.spec.family == "poisson"
    model = GLM(
        _outcome(design) if poisson else _successes(design),
        _columns(design),
        family=families.Poisson() if poisson else families.Binomial(),
        offset=design.outcomes[0].rows.offset,
    )

    def fit(start: Vector | None) -> _Found:
        result = model.fit(start_params=start, tol=1e-14, maxiter=100)
        return _Found(
            values=np.asarray(result.params),
            covariance=np.asarray(result.cov_params()),
            criteria=_criteria(result, float(result.bic_llf)),
            convergence=_convergence(model, result.params, converged=bool(result.converged)),
        )

    return _Regression(
        model=model, design=design, fit=fit, log_likelihood=lambda point: float(model.loglike(point, scale=1.0))
    )


def _zip(design: GbtmDesign) -> _Regression:
    from statsmodels.discrete.count_model import ZeroInflatedPoisson  # noqa: PLC0415  # as above

    rows = design.outcomes[0].rows
    (zero_order,) = design.spec.zero_orders or (0,)
    model = ZeroInflatedPoisson(
        _outcome(design),
        _columns(design),
        exog_infl=_powers(rows.time, zero_order),
        offset=rows.offset,
    )
    # statsmodels has the coefficients of the extra zeros first.
    n_zero = zero_order + 1
    ours = np.r_[n_zero : n_zero + model.exog.shape[1], :n_zero]
    return _searched(model, design, ours, lambda values: values, lambda point: point)


def _beta(design: GbtmDesign) -> _Regression:
    from statsmodels.othermod.betareg import BetaModel  # noqa: PLC0415  # as above

    model = BetaModel(_outcome(design), _columns(design))
    return _searched(
        model,
        design,
        np.arange(model.exog.shape[1] + 1),
        lambda values: np.append(values[:-1], np.exp(values[-1])),
        lambda point: np.append(point[:-1], np.log(point[-1])),
    )


def _searched(
    model: Any,  # noqa: ANN401  # a model of statsmodels
    design: GbtmDesign,
    order: Vector,
    to_ours: Callable[[Vector], Vector],
    to_theirs: Callable[[Vector], Vector],
) -> _Regression:
    """Return a regression found by BFGS, then Newton; `order` are the places of our parameters among statsmodels'."""

    def theirs(point: Vector) -> Vector:
        values = np.empty(len(point))
        values[order] = to_theirs(point)
        return values

    def fit(start: Vector | None) -> _Found:
        began = None if start is None else theirs(start)
        first = model.fit(start_params=began, method="bfgs", maxiter=2000, disp=0)
        result = model.fit(start_params=first.params, method="newton", maxiter=100, tol=1e-12, disp=0)
        values = to_ours(np.asarray(result.params)[order])
        slopes = np.ones(len(values))
        if design.spec.family == "beta":
            slopes[-1] = values[-1]
        covariance = np.asarray(result.cov_params())[np.ix_(order, order)] * np.outer(slopes, slopes)
        return _Found(
            values=values,
            covariance=covariance,
            criteria=_criteria(result, float(result.bic)),
            convergence=_convergence(model, result.params, converged=bool(result.mle_retvals["converged"])),
        )

    return _Regression(
        model=model, design=design, fit=fit, log_likelihood=lambda point: float(model.loglike(theirs(point)))
    )


_REGRESSIONS: Mapping[Any, Callable[[GbtmDesign], _Regression]] = {
    "gaussian": _ols,
    "poisson": _glm,
    "logit": _glm,
    "zip": _zip,
    "beta": _beta,
}


def _criteria(result: Any, bic: float) -> Criteria:  # noqa: ANN401  # of statsmodels
    """Return statsmodels' own criteria, and the number of parameters that its AIC counts."""
    log_likelihood, aic = float(result.llf), float(result.aic)
    return Criteria(
        log_likelihood=log_likelihood,
        n_parameters=round(aic / 2 + log_likelihood),
        aic=aic,
        bic_observations=bic,
    )


def _convergence(model: Any, params: Vector, *, converged: bool) -> Convergence:  # noqa: ANN401  # of statsmodels
    """Return statsmodels' own flag, overruled where its own derivatives are those of a maximum."""
    gradient, hessian = np.asarray(model.score(params)), np.asarray(model.hessian(params))
    distance = float(np.sqrt(gradient @ np.linalg.solve(-hessian, gradient)))
    near = converged or distance < NEAR
    return Convergence(
        stop=Stop.OPTIMUM if near else Stop.REPORTED_FAILURE,
        message=f"statsmodels says that it {'converged' if converged else 'did not converge'}",
        distance=distance if np.isfinite(distance) else None,
    )


def _without_last_error(estimates: GbtmEstimates) -> GbtmEstimates:
    """Return the estimates with no variance of their last parameter."""
    covariance = np.array(estimates.covariance)
    covariance[-1], covariance[:, -1] = np.nan, np.nan
    return replace(estimates, covariance=covariance)


def _columns(design: GbtmDesign) -> pd.DataFrame:
    """Return the columns of the regression in the order of a `Point`, each row labelled with its subject."""
    rows, spec = design.outcomes[0].rows, design.spec
    added = [columns.values for columns in (rows.covariates, rows.common)]  # noqa: PD011  # no data frames
    values = np.column_stack([_powers(rows.time, max(spec.orders)), *added])
    return pd.DataFrame(values, index=_subjects(design))


def _outcome(design: GbtmDesign) -> pd.Series:
    return pd.Series(design.outcomes[0].rows.y, index=_subjects(design))


def _successes(design: GbtmDesign) -> pd.DataFrame:
    rows = design.outcomes[0].rows
    trials = np.ones_like(rows.y) if rows.trials is None else rows.trials
    return pd.DataFrame({"successes": rows.y, "failures": trials - rows.y}, index=_subjects(design))


def _subjects(design: GbtmDesign) -> pd.Index:
    labels = design.subject_labels
    index: pd.Index = pd.Index([labels[subject] for subject in design.outcomes[0].rows.panel.subject])
    return index


def _powers(time: Vector, order: int) -> Matrix:
    return np.vander(time, order + 1, increasing=True)
