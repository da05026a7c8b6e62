"""R's glmmTMB: mixed models by automatic differentiation, with residual structures (reference_r/glmmTMB.R)."""

from collections.abc import Mapping

import numpy as np

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.lmm.spec import LmmSpec
from harness.quantities import Point
from harness.references.decoding import Answered, Decoded
from harness.references.lme4 import FALSE_ALARM, lme4_request
from harness.references.lmm_answers import Variances, lmm_estimates, lmm_evidence, random_effects, the_lmm
from harness.references.requests import Request
from harness.references.residuals import residual_part

STRUCTURES = {"us", "csh", "ar1", "toeph", "car1"}
"""Those that glmmTMB has; its cs and toep have a variance for each visit, its ar1 has one."""


class GlmmTmb:
    """Decoder of glmmTMB's answers."""

    name = "glmmTMB"

    def support(self, spec: Spec) -> Support:
        """Return what glmmTMB can do with the model; its criterion is not asked for away from its optimum."""
        reason = _unknown_to_glmmtmb(spec)
        return Support(fit=not reason, objective=not reason, reason=reason)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lme4_request(self.name, case)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return glmmTMB's fit in our words."""
        residual = the_lmm(case.spec).formula.residual
        variances = Variances(
            theta=np.empty(0),
            random=random_effects(self.name, {**answer, "modes": []}, case, request),
            sigma=answer["sigma"].item() if residual is None else None,
            residual=residual_part([answer["residual"]], residual, request),
        )
        return Decoded(
            estimates=lmm_estimates(self.name, answer, case, request, variances=variances, bic=answer["bic"].item()),
            optimum=None,
            evidence=lmm_evidence(self.name, answer, case, request),
            convergence=_convergence(answer),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return glmmTMB's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # no operation for it
        """Return that its criterion is known at its optimum only."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return how glmmTMB was run and what its standard errors are."""
        beside = "A residual structure stands beside a small independent residual, whose variance is added to it here."
        return (
            "Fitted by glmmTMB with nlminb, rel.tol = 1e-15.",
            "Standard errors of fixed effects are from the joint Hessian with the covariance parameters.",
            *((beside,) if the_lmm(spec).formula.residual is not None else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that it gives all that is asked of it."""
        return {}


def _unknown_to_glmmtmb(spec: Spec) -> str:
    """Return why glmmTMB has no such model; empty if it has."""
    if not isinstance(spec, LmmSpec):
        return "It fits linear mixed models only."
    residual = spec.formula.residual
    if spec.weights is not None:
        return "Its weights are powers of the likelihood, not precisions."
    if residual is not None and (residual.structure not in STRUCTURES or residual.by is not None):
        return f"It has no structure {residual}."
    return ""


def _convergence(answer: Answered) -> Convergence:
    distance, code = answer["distance"].item(), int(answer["code"].item())
    # "False convergence" is nlminb's word for a step that rounding hides.
    stopped = code == 0 or distance < FALSE_ALARM
    return Convergence(
        stop=Stop.OPTIMUM if stopped else Stop.REPORTED_FAILURE,
        message=f"nlminb says: {answer['message'][0]}",
        distance=distance,
    )
