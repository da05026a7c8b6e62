"""R's lcmm: `hlme`, the gaussian trajectory model with or without random effects in classes (reference_r/lcmm.R)."""

from collections.abc import Mapping

import numpy as np

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.gbtm.design import GbtmDesign
from harness.gbtm.spec import GbtmSpec
from harness.quantities import Point
from harness.references.decoding import Answered, Decoded
from harness.references.gbtm_answers import (
    Criteria,
    Fitted,
    gbtm_estimates,
    gbtm_evidence,
    search_report,
    the_design,
    the_gbtm,
    with_empty_class,
)
from harness.references.hlme_vector import HlmeVector
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
        if spec.weights is not None or spec.dropout is not None:
            return Support(fit=False, objective=False, reason="hlme has neither weights nor a dropout model.")
        if spec.sigma != "shared" and spec.n_classes > 1:
            by_class = spec.sigma == "class"
            return Support(fit=False, objective=by_class, reason="hlme has one sigma for all classes.")
        return Support(fit=True, objective=True)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return gbtm_request(the_gbtm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return hlme's fit in our words."""
        design = the_design(case)
        evidence = gbtm_evidence(answer, design)
        own = _fitted(answer, design)
        canonical = own.canonical()
        n_free = int(np.sum(~answer["is_fixed"]))
        constant = self.log_likelihood(0.0, evidence.n_observations)
        criteria = Criteria(
            log_likelihood=answer["log_likelihood"].item() + constant,
            n_parameters=n_free,
            aic=answer["aic"].item() - 2 * constant,
            bic_subjects=answer["bic"].item() - 2 * constant,
        )
        return Decoded(
            estimates=gbtm_estimates(answer, request, canonical, criteria),
            optimum=canonical.as_in(design.spec).point,
            evidence=evidence,
            convergence=with_empty_class(_convergence(answer, n_free), canonical.shares, len(canonical.posterior)),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:
        """Return hlme's log-likelihood with the constant that double precision has."""
        return value + CONSTANT_PER_ROW * n_observations

    def can_evaluate(self, point: Point, spec: Spec) -> bool:
        """Return whether all sigmas of the point are the same and the covariance of its random effects has a root."""
        gbtm = the_gbtm(spec)
        if gbtm.sigma == "class" and len(set(_tail(point, gbtm)["sigma"])) > 1:
            return False
        V = _tail(point, gbtm)["covariance"]
        if gbtm.random_covariance == "diagonal":
            return bool(np.all(V >= 0))
        q = round((np.sqrt(8 * len(V) + 1) - 1) / 2)
        full = np.zeros((q, q))
        full[np.tril_indices(q)] = V
        return bool(np.all(np.linalg.eigvalsh(full) > 0))  # from the lower triangle

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return what was changed and what limits hlme's numbers."""
        gbtm = the_gbtm(spec)
        fixed = "Powers above a class's order are coefficients fixed at zero by `posfix`."
        extrapolated = (
            "Standard errors are from second differences of hlme's log-likelihood, extrapolated: those that it gives"
            " are by forward differences, whose rounding is 1 % and more of them where coefficients are small."
        )
        roots = "hlme's covariance belongs to a Cholesky factor; that of the variances follows by the delta method."
        scale = "w multiplies hlme's Cholesky factor, so that class g has w_g^2 V."
        return (
            "hlme evaluates log(2 pi) in single precision; 1.39138e-8 per observation is added to its log-likelihood.",
            "Twice that constant is taken from its AIC and BIC.",
            "Classes are put in the order of their mean fitted value.",
            "Class shares and their standard errors follow from hlme's log-odds by the delta method.",
            extrapolated,
            "Entropy and average posterior probabilities are formed from hlme's posterior.",
            *((fixed,) if len(set(gbtm.orders)) > 1 else ()),
            *((roots,) if gbtm.random is not None else ()),
            *((scale,) if gbtm.random_scale == "class" else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:
        """Return what hlme does not have."""
        support = self.support(spec)
        if not support.fit:
            return {"": support.reason}
        return {"bic_observations.penalty": "lcmm counts subjects in BIC."}


def _fitted(answer: Answered, design: GbtmDesign) -> Fitted:
    rows = design.outcomes[0].rows
    vector = HlmeVector(
        best=answer["best"],
        cholesky=answer["cholesky"],
        spec=design.spec,
        n_membership=len(design.subjects.membership.names),
        n_covariates=len(rows.covariates.names),
        n_common=len(rows.common.names),
    )
    jacobian = vector.jacobian()
    return Fitted(
        design=design,
        membership=vector.membership,
        values=vector.values(),
        posterior=answer["posterior"],
        covariance=jacobian @ answer["V"] @ jacobian.T if answer["conv"].item() == 1 else None,
    )


def _tail(point: Point, spec: GbtmSpec) -> Mapping[str, np.ndarray]:
    """Return the sigmas and the covariance of random effects of a point."""
    q = 0 if spec.random is None else spec.random + 1
    n_covariance = q if spec.random_covariance == "diagonal" else q * (q + 1) // 2
    n_scale = spec.n_classes - 1 if spec.random_scale == "class" else 0
    end = len(point) - n_scale - {"independent": 0, "brownian": 1, "ar1": 2}[spec.errors]
    n_sigma = spec.n_classes if spec.sigma == "class" else 1
    values = np.array(point)
    return {
        "covariance": values[end - n_covariance : end],
        "sigma": values[end - n_covariance - n_sigma : end - n_covariance],
    }


def _convergence(answer: Answered, n_free: int) -> Convergence:
    conv = int(answer["conv"].item())
    # marqLevAlg's third criterion is g' H^-1 g / m.
    remaining = float(answer["criteria"][2])
    reported = f"hlme conv = {conv} at tolerance {answer['tolerance'].item():g}"
    return Convergence(
        stop=_STOPS.get(conv, Stop.REPORTED_FAILURE),
        message=f"{reported}; {search_report(answer)}{_noise(answer)}",
        iterations=int(answer["iterations"].item()),
        distance=float(np.sqrt(remaining * n_free)) if conv == 1 and remaining >= 0 else None,
    )


def _noise(answer: Answered) -> str:
    """Return how far hlme's own standard errors are from those that are used."""
    used = np.sqrt(np.maximum(np.diag(answer["V"]), 0))
    free = ~answer["is_fixed"] & (used > 0)
    if not free.any():
        return ""
    worst = float(np.max(np.abs(answer["own_errors"][free] / used[free] - 1)))
    return f"; its own standard errors are up to {worst:.1e} off" if worst > 0 else ""
