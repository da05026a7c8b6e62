"""R's trajeR: its log-likelihoods of trajectories in all families, climbed by nlminb (reference_r/trajeR.R)."""

from collections.abc import Mapping

import numpy as np

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
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
from harness.references.requests import Request, gbtm_request

_FAMILIES = {"censored_normal", "logit", "poisson", "zip", "beta"}
_NEAR = 1e-3  # standard errors from the maximum, by the gradient


class TrajeR:
    """Decoder of trajeR's answers."""

    name = "trajeR"

    def support(self, spec: Spec) -> Support:
        """Return whether this is a model that trajeR has a log-likelihood of."""
        if not isinstance(spec, GbtmSpec) or spec.family not in _FAMILIES:
            expected = ", ".join(sorted(_FAMILIES))
            return Support(fit=False, objective=False, reason=f"trajeR is asked for {expected} models.")
        lacks = {
            "a model of one class": spec.n_classes == 1,
            "common coefficients": bool(spec.common),
            "an exposure or a number of trials": spec.exposure is not None or spec.trials is not None,
            "weights": spec.weights is not None,
            "dropout": spec.dropout is not None,
            "splines": bool(spec.knots),
            "a sigma for each visit": spec.sigma == "visit",
            "random effects or correlated errors": spec.random is not None or spec.errors != "independent",
            "a class without zero inflation": -1 in (spec.zero_orders or ()),
        }
        missing = [what for what, is_asked in lacks.items() if is_asked]
        if missing:
            return Support(fit=False, objective=False, reason=f"trajeR is not asked for {', '.join(missing)}.")
        return Support(fit=True, objective=True)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return gbtm_request(the_gbtm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return the maximum of trajeR's log-likelihood in our words."""
        design = the_design(case)
        r = 1 + len(design.subjects.membership.names)
        n_odds = (design.n_classes - 1) * r
        odds = answer["estimates"][:n_odds].reshape(r, -1)
        canonical = Fitted(
            design=design,
            membership=np.column_stack([odds, np.zeros(r)]),
            values=answer["estimates"][n_odds:],
            posterior=answer["posterior"],
            covariance=answer["V"],
        ).canonical()
        distance = float(answer["distance"].item())
        converged = Convergence(
            stop=Stop.OPTIMUM if distance < _NEAR else Stop.REPORTED_FAILURE,
            message=search_report(answer),
            iterations=int(answer["iterations"].item()),
            distance=distance,
        )
        criteria = Criteria(
            log_likelihood=answer["log_likelihood"].item(),
            n_parameters=len(answer["estimates"]),
            aic=np.nan,
        )
        return Decoded(
            estimates=gbtm_estimates(answer, request, canonical, criteria),
            optimum=canonical.as_in(design.spec).point,
            evidence=gbtm_evidence(answer, design),
            convergence=with_empty_class(converged, canonical.shares, len(canonical.posterior)),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return trajeR's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # its densities hold everywhere
        """Return that trajeR's densities can be evaluated anywhere."""
        return True

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return what was done around trajeR."""
        climbed = (
            "trajeR's own search stops early and its standard errors are an optimiser's approximation: nlminb climbs"
            " its log-likelihood here, and numDeriv takes the Hessian."
        )
        beta = "trajeR models the logarithm of the precision, constant in each class."
        return (
            climbed,
            "trajeR multiplies densities without logarithms; long panels underflow.",
            "Classes are put in the order of their mean fitted value.",
            *((beta,) if the_gbtm(spec).family == "beta" else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return what is not asked of trajeR."""
        reason = (
            "Criteria are formed by trajeR's own fit, which is not used; with one sigma it counts one for each class."
        )
        return {"aic.penalty": reason, "bic_subjects.penalty": reason, "bic_observations.penalty": reason}
