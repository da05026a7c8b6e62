"""statsmodels' MixedLM: random effects of one grouping factor, by BFGS with a tight stop, from several starts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.arrays import Matrix, Vector, read_only
from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.lmm.covariance import lower_triangular, relative_factor, theta_of
from harness.lmm.design import LmmDesign, build_design
from harness.lmm.estimates import LmmEstimates, RandomEffects
from harness.lmm.spec import LmmSpec
from harness.peers.adapter import Fitted
from harness.quantities import InputEvidence, ObjectiveValue, Point
from harness.references.lmm_answers import the_lmm

if TYPE_CHECKING:
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams, MixedLMResults

FALSE_ALARM = 1e-3
"""BFGS calls it a failure when rounding hides a step; within this distance, in standard errors, it is overruled."""

_TIGHT: Mapping[str, float] = {"gtol": 1e-9, "maxiter": 2000}


class StatsmodelsMixed:
    """MixedLM as a reference: its criterion, its estimates, its standard errors as it prints them."""

    package = "statsmodels"

    def support(self, spec: Spec) -> Support:
        """Return what MixedLM can do with the model."""
        reason = _unknown_to_mixedlm(spec)
        return Support(fit=not reason, objective=not reason, reason=reason)

    def fit(self, case: Case, start: Point | None) -> Fitted:
        """Return the best of MixedLM's fits: from its own start by BFGS and by L-BFGS, BFGS going on from there."""
        mixed = _mixed(case)
        starts = [None, *mixed.ends_of_lbfgs()] if start is None else [mixed.parameters(start)]
        found = [mixed.fitted(params) for params in starts]
        result = max(found, key=lambda one: one.llf)
        return Fitted(
            estimates=mixed.estimates(result),
            optimum=mixed.theta(result),
            evidence=mixed.evidence(),
            convergence=mixed.convergence(result),
        )

    def log_likelihoods(self, case: Case, points: Sequence[tuple[str, Point]]) -> Sequence[ObjectiveValue]:
        """Return MixedLM's profiled log-likelihood at theta; not at a singular one, whose inverse it takes."""
        mixed = _mixed(case)
        values = ((label, point, mixed.log_likelihood(point)) for label, point in points)
        return tuple(
            ObjectiveValue(label=label, point=point, log_likelihood=value)
            for label, point, value in values
            if isfinite(value)
        )

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return how MixedLM was run and what its numbers are."""
        criteria = "AIC and BIC are formed by statsmodels under ML only." if the_lmm(spec).criterion == "REML" else ""
        return (
            "MixedLM gets our columns of X and Z: how factors and terms are coded is not checked by it.",
            "Fitted by BFGS with gtol = 1e-9 from statsmodels' own start and from where its L-BFGS ends.",
            "Its standard errors of fixed effects are from the joint Hessian with the covariance parameters.",
            *((criteria,) if criteria else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:
        """Return that MixedLM forms no information criteria under REML."""
        if the_lmm(spec).criterion == "ML":
            return {}
        reason = "statsmodels gives no information criteria under REML, and counts no parameters."
        return dict.fromkeys(("aic.penalty", "bic.penalty", "n_parameters"), reason)


ADAPTER = StatsmodelsMixed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mixed:
    """A model of statsmodels beside our design, which names its columns and levels.

    `free` (q, q) is 1 where the covariance of the random effects may differ from zero; None where it may everywhere.
    """

    model: "MixedLM"
    design: LmmDesign
    free: Matrix | None

    def parameters(self, theta: Point) -> "MixedLMParams":
        """Return the relative covariance Lambda Lambda' as statsmodels has it."""
        from statsmodels.regression.mixed_linear_model import MixedLMParams  # noqa: PLC0415  # slow, seldom needed

        Lambda = relative_factor(np.array(theta), self.design.blocks)
        return MixedLMParams.from_components(fe_params=np.zeros(self.design.n_fixed), cov_re=Lambda @ Lambda.T)

    def log_likelihood(self, theta: Point) -> float:
        """Return the criterion with fixed effects and scale profiled out; NaN or infinite where MixedLM has none."""
        try:
            return float(self.model.loglike(self.parameters(theta)))
        except np.linalg.LinAlgError:
            return nan

    def fitted(self, start: "MixedLMParams | None", method: str = "bfgs", **control: float) -> "MixedLMResults":
        """Return a fit by one optimiser."""
        free = None if self.free is None else self._mask()
        return self.model.fit(
            start, reml=self.design.criterion == "REML", method=[method], free=free, **(control or _TIGHT)
        )

    def ends_of_lbfgs(self) -> "Iterator[MixedLMParams]":
        """Yield where L-BFGS ends from statsmodels' own start; nothing where it fails."""
        try:
            result = self.fitted(None, "lbfgs", maxiter=2000)
        except np.linalg.LinAlgError:
            return
        yield self.parameters(self.theta(result))

    def theta(self, result: "MixedLMResults") -> Point:
        """Return the relative factor of a fit, with a diagonal >= 0."""
        relative, blocks = np.asarray(result.cov_re_unscaled), self.design.blocks
        factor = np.zeros_like(relative)
        for end, size in zip(accumulate(blocks), blocks, strict=True):
            own = slice(end - size, end)
            values, vectors = np.linalg.eigh(relative[own, own])
            factor[own, own] = lower_triangular(vectors * np.sqrt(np.maximum(values, 0.0)))
        return tuple(map(float, theta_of(factor, blocks)))

    def estimates(self, result: "MixedLMResults") -> LmmEstimates:
        """Return a fit in our words."""
        design, p = self.design, self.design.n_fixed
        log_likelihood = float(result.llf)
        aic, bic = float(result.aic), float(result.bic)  # NaN under REML
        return LmmEstimates(
            criterion=design.criterion,
            fixed_names=design.fixed_names,
            beta=read_only(np.array(result.fe_params)),
            vcov=read_only(np.array(result.cov_params())[:p, :p]),
            theta=read_only(np.array(self.theta(result))),
            random=(self._random_effects(result),),
            sigma=float(np.sqrt(result.scale)),
            log_likelihood=log_likelihood,
            aic=aic,
            bic=bic,
            n_observations=int(result.nobs),
            n_subjects=int(self.model.n_groups),
            n_parameters=0 if np.isnan(aic) else round(aic / 2 + log_likelihood),
        )

    def evidence(self) -> InputEvidence:
        """Return what statsmodels holds."""
        return InputEvidence(
            n_observations=len(self.model.endog),
            n_subjects=int(self.model.n_groups),
            outcome_sum=float(np.sum(self.model.endog)),
            design_sums=dict(zip(self.design.fixed_names, self.model.exog.sum(axis=0).tolist(), strict=True)),
        )

    def convergence(self, result: "MixedLMResults") -> Convergence:
        """Return statsmodels' own flag, overruled where its own gradient and Hessian are of a maximum."""
        distance = self._distance(result)
        near = result.converged or distance < FALSE_ALARM
        return Convergence(
            stop=Stop.OPTIMUM if near else Stop.REPORTED_FAILURE,
            message=f"BFGS says that it {'converged' if result.converged else 'did not converge'}",
            distance=distance if np.isfinite(distance) else None,
        )

    def _distance(self, result: "MixedLMResults") -> float:
        """Return sqrt(g' (-H)^-1 g) of statsmodels' own derivatives; NaN where -H is not positive definite."""
        params = result.params_object
        gradient = np.concatenate(self.model.score_full(params, calc_fe=True)[:2])
        hessian, _ = self.model.hessian(params)
        moving = np.ones(len(gradient), dtype=bool)
        if self.free is not None:
            moving[self.design.n_fixed :] = self.free[np.tril_indices(self.design.n_random)] > 0
        g, H = gradient[moving], hessian[np.ix_(moving, moving)]
        return float(np.sqrt(g @ np.linalg.solve(-H, g)))

    def _random_effects(self, result: "MixedLMResults") -> RandomEffects:
        q, labels = self.design.n_random, self.design.subject_labels
        try:
            modes = result.random_effects
        except ValueError:  # of a singular covariance there are none
            modes = {}
        of_levels = np.array([modes[level] for level in range(len(labels))]) if modes else np.empty((0, q))
        spread = result.random_effects_cov if modes else {}
        return RandomEffects(
            grouping=self.design.random[0].grouping,
            names=self.design.random_names,
            cov=read_only(np.array(result.cov_re)),
            labels=labels if modes else (),
            modes=read_only(of_levels),
            modes_cov=read_only(np.array([spread[level] for level in range(len(labels))])) if modes else None,
        )

    def _mask(self) -> "MixedLMParams":
        from statsmodels.regression.mixed_linear_model import MixedLMParams  # noqa: PLC0415  # as above

        return MixedLMParams.from_components(fe_params=np.ones(self.design.n_fixed), cov_re=self.free)


def _mixed(case: Case) -> _Mixed:
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415  # as above

    design = build_design(the_lmm(case.spec), case.cohort)
    levels = np.repeat(np.arange(design.n_subjects), np.diff(design.starts))
    model: Any = MixedLM(design.y, design.X, levels, exog_re=design.Z)
    # What `fit` sets; without, the criterion can't be evaluated before a fit.
    model.reml, model.cov_pen, model.fe_pen, model._cov_sing = design.criterion == "REML", None, None, 0  # noqa: SLF001
    free = None if len(design.blocks) == 1 else _block_mask(design.blocks)
    return _Mixed(model=model, design=design, free=free)


def _block_mask(blocks: Sequence[int]) -> Matrix:
    """Return 1 within the diagonal blocks of these sizes."""
    block: Vector = np.repeat(np.arange(len(blocks)), blocks)
    return np.asarray(block[:, None] == block, dtype=float)


def _unknown_to_mixedlm(spec: Spec) -> str:
    """Return why MixedLM has no such model; empty if it has."""
    if not isinstance(spec, LmmSpec):
        return "It fits linear mixed models only."
    if spec.weights is not None:
        return "MixedLM has no prior weights."
    if spec.formula.residual is not None:
        return "MixedLM has no residual structures."
    if len({random.subject for random in spec.formula.random}) != 1:
        return "Only models with one grouping factor are translated to MixedLM."
    return ""
