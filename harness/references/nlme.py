"""R's nlme: `lme` with an unstructured or diagonal covariance of the random effects (reference_r/nlme.R)."""

from collections.abc import Mapping

import numpy as np

from harness.arrays import Vector
from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.quantities import Point
from harness.references.decoding import Answered, Decoded
from harness.references.lmm_answers import Variances, lmm_estimates, lmm_evidence, lmm_support, the_lmm
from harness.references.requests import Request, lmm_request

SAME_OPTIMUM = 1e-9
"""Two searches that end within this of each other, relative to the log-likelihood, have found one optimum."""


class Nlme:
    """Decoder of nlme's answers, brought to lme4's count of observations in BIC."""

    name = "nlme"

    def support(self, spec: Spec) -> Support:
        """Return what nlme can do with the model."""
        return lmm_support(spec)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lmm_request(self.name, the_lmm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return nlme's fit in our words."""
        theta = _theta(answer, correlated=the_lmm(case.spec).formula.random[0].correlated)
        sigma = answer["sigma"].item()
        variances = Variances(
            theta=np.full(0, np.nan) if theta is None else theta,
            random_cov=sigma**2 * answer["Gamma"],
            sigma=sigma,
            conditional_cov=None,
        )
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
        return (
            "The best of three searches by nlme::lme: 500 EM steps before nlminb, 500 before BFGS, and nlminb alone.",
            "Covariance of the fixed effects without the small-sample factor of summary(): it is that of vcov().",
            "The log-likelihood at given parameters is that of a fit that starts there and may not move.",
            *((restricted,) if the_lmm(spec).criterion == "REML" else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return what nlme has no function for."""
        return {".variance": "nlme gives no variances of its conditional modes."}


def _theta(answer: Answered, *, correlated: bool) -> Vector | None:
    """Return the lower triangle, by columns, of the Cholesky factor of G / sigma^2; None where it is singular."""
    factor = answer["factor"]
    if factor is None:
        return None
    if not correlated:
        return np.diag(factor).copy()
    rows, columns = np.triu_indices(len(factor))
    return np.asarray(factor[columns, rows])


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
