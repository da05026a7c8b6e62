"""R's nlme: `lme` with random effects, `gls` without, either with a residual structure (reference_r/nlme.R)."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.lmm.spec import LmmSpec
from harness.quantities import Point
from harness.references.decoding import Answered, Decoded
from harness.references.lmm_answers import Variances, lmm_estimates, lmm_evidence, random_effects, the_lmm
from harness.references.lmm_requests import lmm_request
from harness.references.requests import Request
from harness.references.residuals import gamma_of, residual_part

SAME_OPTIMUM = 1e-9
"""Two searches that end within this of each other, relative to the log-likelihood, have found one optimum."""


class Nlme:
    """Decoder of nlme's answers, brought to lme4's count of observations in BIC."""

    name = "nlme"

    def support(self, spec: Spec) -> Support:
        """Return what nlme can do with the model."""
        if not isinstance(spec, LmmSpec):
            return Support(fit=False, objective=False, reason="It fits linear mixed models only.")
        reason = _unknown_to_nlme(spec)
        return Support(fit=not reason, objective=not reason, reason=reason)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lmm_request(the_lmm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return nlme's fit in our words."""
        spec = the_lmm(case.spec)
        random = random_effects(self.name, answer, case, request)
        given = [] if answer["residual"] is None else [answer["residual"]]
        residual = residual_part(given, spec.formula.residual, request)
        theta = answer["theta"] if spec.formula.residual is None else gamma_of(answer["blocks"], spec, residual)
        variances = Variances(
            theta=np.full(0, np.nan) if theta is None else theta,
            random=random,
            sigma=answer["sigma"].item() if spec.formula.residual is None else None,
            residual=residual,
        )
        answer = {**answer, "vcov": answer["vcov"] / _small_sample_factor(answer, spec)}
        return Decoded(
            estimates=lmm_estimates(
                self.name, answer, case, request, variances=variances, bic=_bic_over_all_rows(answer, case)
            ),
            optimum=None if theta is None else tuple(map(float, theta)),
            evidence=lmm_evidence(self.name, answer, case, request),
            convergence=_convergence(answer),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return nlme's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # R tells by a missing value
        """Return that any theta may be tried; nlme has no answer where the covariance is singular."""
        return True

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return what was changed."""
        restricted = "nlme's BIC counts n - p observations under REML; it is given here with n, as lme4 does."
        formula, criterion = the_lmm(spec).formula, the_lmm(spec).criterion
        residual, alone = formula.residual is not None, not formula.random
        covariance = (
            "The covariance of the fixed effects is that of vcov(), without the small-sample factor of summary()."
        )
        if alone and criterion == "ML":
            covariance = "vcov() of gls has the factor n / (n - p) under ML; it is taken out here."
        searches = "500 EM steps before nlminb, 500 before BFGS, and nlminb alone"
        return (
            f"The best of several searches by nlme: {'nlminb, and BFGS but for car1' if residual else searches}.",
            covariance,
            "The log-likelihood at given parameters is that of a fit that starts there and may not move.",
            *((restricted,) if criterion == "REML" else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return what nlme has no function for."""
        return {".variance": "nlme gives no variances of its conditional modes."}


def _unknown_to_nlme(spec: LmmSpec) -> str:
    """Return why nlme has no such model; empty if it has."""
    residual, groupings = spec.formula.residual, [random.grouping for random in spec.formula.random]
    if residual is not None and residual.structure in {"ad", "adh"}:
        return "It has no ante-dependence."
    if residual is not None and residual.by is not None:
        return "Its correlations are the same for all subjects."
    if residual is not None and spec.weights is not None:
        return "Weights beside a residual structure are not translated to it."
    outer_first = sorted(dict.fromkeys(groupings), key=len)
    if any(inner[: len(outer)] != outer for outer, inner in pairwise(outer_first)):
        return "Its grouping factors are nested, not crossed."
    return ""


def _small_sample_factor(answer: Answered, spec: LmmSpec) -> float:
    """Return what gls multiplies the covariance of the fixed effects with under ML."""
    if spec.criterion == "REML" or spec.formula.random:
        return 1.0
    n, p = answer["evidence"]["n_observations"].item(), len(answer["beta"])
    return float(n / (n - p))


def _bic_over_all_rows(answer: Answered, case: Case) -> float:
    if the_lmm(case.spec).criterion == "ML":
        return float(answer["bic"].item())
    n, p = answer["evidence"]["n_observations"].item(), len(answer["beta"])
    return float(answer["bic"].item() + answer["n_parameters"].item() * (np.log(n) - np.log(n - p)))


def _convergence(answer: Answered) -> Convergence:
    reached, complaint = answer["reached"], answer["complaint"][0]
    agreeing = int(np.sum(reached >= reached.max() - SAME_OPTIMUM * abs(reached.max())))
    listed = "; ".join(f"{name}: {-2 * value:.9f}" for name, value in zip(answer["searches"], reached, strict=True))
    message = f"criterion by search: {listed}"
    if not complaint or agreeing > 1:
        stop = Stop.OPTIMUM
    elif "limit" in complaint:
        stop = Stop.ITERATION_LIMIT
    else:
        stop = Stop.REPORTED_FAILURE
    return Convergence(stop=stop, message=f"{message}; nlme says: {complaint}" if complaint else message)
