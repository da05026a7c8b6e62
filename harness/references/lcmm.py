"""R's lcmm: `hlme` without random effects (reference_r/lcmm.R)."""

from collections.abc import Mapping

import numpy as np
from scipy.special import log_softmax, softmax

from harness.arrays import Matrix, Vector
from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.gbtm.spec import GbtmSpec
from harness.quantities import Point
from harness.references.decoding import Answered, Decoded
from harness.references.gbtm_answers import (
    Criteria,
    Mixture,
    canonical_order,
    gbtm_estimates,
    gbtm_evidence,
    point_of,
    search_report,
    spec_order,
    the_gbtm,
    with_empty_class,
)
from harness.references.requests import Request, gbtm_request

LCMM_TWO_PI = 6.2831854820251465
"""hlme's 2 pi: the single-precision number nearest to it."""
CONSTANT_PER_ROW = 0.5 * float(np.log1p((LCMM_TWO_PI - 2 * np.pi) / (2 * np.pi)))

_STOPS = {1: Stop.OPTIMUM, 2: Stop.ITERATION_LIMIT, 3: Stop.FLAT}


class Lcmm:
    """Decoder of hlme's answers; the one engine here with standard errors of a trajectory model."""

    name = "lcmm"

    def support(self, spec: Spec) -> Support:
        """Return what hlme can do with the model: any orders (powers fixed at zero), but only one sigma."""
        if not isinstance(spec, GbtmSpec) or spec.family != "gaussian":
            return Support(fit=False, objective=False, reason="Only gaussian trajectory models are translated to hlme.")
        if spec.sigma == "class" and spec.n_classes > 1:
            return Support(fit=False, objective=True, reason="hlme has one sigma for all classes.")
        return Support(fit=True, objective=True)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return gbtm_request(the_gbtm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return hlme's fit in our words."""
        spec = the_gbtm(case.spec)
        evidence = gbtm_evidence(answer, spec)
        own = _mixture(answer, spec)
        power_sums = np.array(list(evidence.design_sums.values()))
        mixture = own.relabelled(canonical_order(own.beta, power_sums, evidence.n_observations))
        n_free = int(np.sum(~answer["is_fixed"]))
        constant = self.log_likelihood(0.0, evidence.n_observations)
        criteria = Criteria(
            log_likelihood=answer["log_likelihood"].item() + constant,
            n_parameters=n_free,
            aic=answer["aic"].item() - 2 * constant,
            bic_subjects=answer["bic"].item() - 2 * constant,
        )
        return Decoded(
            estimates=gbtm_estimates(answer, spec, request, mixture, criteria),
            optimum=point_of(spec_order(mixture, spec)),
            evidence=evidence,
            convergence=with_empty_class(_convergence(answer, n_free), mixture.shares, len(mixture.posterior)),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:
        """Return hlme's log-likelihood with the constant that double precision has."""
        return value + CONSTANT_PER_ROW * n_observations

    def can_evaluate(self, point: Point, spec: Spec) -> bool:
        """Return whether all sigmas of the point are the same."""
        gbtm = the_gbtm(spec)
        n_sigmas = 1 if gbtm.sigma == "shared" else gbtm.n_classes
        return len(set(point[-n_sigmas:])) == 1

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return what was changed and what limits hlme's numbers."""
        fixed = "Powers above a class's order are coefficients fixed at zero by `posfix`."
        return (
            "hlme evaluates log(2 pi) in single precision; 1.39138e-8 per observation is added to its log-likelihood.",
            "Twice that constant is taken from its AIC and BIC.",
            "Classes are put in the order of their mean fitted value.",
            "Class shares and their standard errors follow from hlme's log-odds by the delta method.",
            "hlme differentiates numerically: its standard errors carry a relative noise of up to 5e-4.",
            "Entropy and average posterior probabilities are formed from hlme's posterior.",
            *((fixed,) if len(set(the_gbtm(spec).orders)) > 1 else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:
        """Return what hlme does not have."""
        support = self.support(spec)
        if not support.fit:
            return {"": support.reason}
        return {"bic_observations.penalty": "lcmm counts subjects in BIC."}


def _mixture(answer: Answered, spec: GbtmSpec) -> Mixture:
    """Return hlme's vector by class: log-odds against the last class; per power, all classes; sigma, sign free."""
    best, K = answer["best"], spec.n_classes
    coefficients = best[K - 1 : -1].reshape(-1, K)
    log_odds = np.append(best[: K - 1], 0.0)
    covariance = _delta_covariance(answer["V"], softmax(log_odds), spec) if answer["conv"].item() == 1 else None
    return Mixture(
        log_shares=log_softmax(log_odds),
        beta=tuple(coefficients[: order + 1, g].copy() for g, order in enumerate(spec.orders)),
        sigma=np.abs(best[-1:]),
        posterior=answer["posterior"],
        covariance=covariance,
    )


def _delta_covariance(V: Matrix, shares: Vector, spec: GbtmSpec) -> Matrix:
    """Return the covariance of (shares; beta class by class; sigma) from that of hlme's vector."""
    K = len(shares)
    places = [K - 1 + k * K + g for g, order in enumerate(spec.orders) for k in range(order + 1)]
    jacobian = np.zeros((K + len(places) + 1, len(V)))
    jacobian[:K, : K - 1] = (np.diag(shares) - np.outer(shares, shares))[:, : K - 1]
    jacobian[np.arange(K, K + len(places)), places] = 1
    jacobian[-1, -1] = 1
    return np.asarray(jacobian @ V @ jacobian.T)


def _convergence(answer: Answered, n_free: int) -> Convergence:
    conv = int(answer["conv"].item())
    # marqLevAlg's third criterion is g' H^-1 g / m.
    remaining = float(answer["criteria"][2])
    return Convergence(
        stop=_STOPS.get(conv, Stop.REPORTED_FAILURE),
        message=f"hlme conv = {conv} at tolerance {answer['tolerance'].item():g}; {search_report(answer)}",
        iterations=int(answer["iterations"].item()),
        distance=float(np.sqrt(remaining * n_free)) if conv == 1 and remaining >= 0 else None,
    )
