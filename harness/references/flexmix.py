"""R's flexmix: mixtures of gaussian regressions by EM (reference_r/flexmix.R)."""

from collections.abc import Mapping

import numpy as np

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

SIGMA_RULE = {
    "shared": "sigma^2 = sum(w r^2) / (n - p_1 / K) over n rows, p_1 coefficients of the spec's first class, K classes",
    "class": "sigma_g^2 = sum(w_g r_g^2) / sum(w_g) * n / (n - p_g) over n rows, p_g coefficients of class g",
}


class Flexmix:
    """Decoder of flexmix's answers."""

    name = "flexmix"

    def support(self, spec: Spec) -> Support:
        """Return what flexmix can do with the model: any orders (nested terms), one sigma or one per class."""
        if not isinstance(spec, GbtmSpec) or spec.family != "gaussian":
            reason = "Only gaussian trajectory models are translated to flexmix."
            return Support(fit=False, objective=False, reason=reason)
        return Support(fit=True, objective=True)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return gbtm_request(the_gbtm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return flexmix's fit in our words."""
        spec = the_gbtm(case.spec)
        evidence = gbtm_evidence(answer, spec)
        shares = answer["shares"]
        with np.errstate(divide="ignore"):  # an empty class has the log share -inf
            log_shares = np.log(shares)
        own = Mixture(
            log_shares=log_shares,
            beta=tuple(answer["beta"]),
            sigma=answer["sigma"] if spec.sigma == "class" else answer["sigma"][:1],
            posterior=answer["posterior"],
        )
        power_sums = np.array(list(evidence.design_sums.values()))
        mixture = own.relabelled(canonical_order(own.beta, power_sums, evidence.n_observations))
        converged = Convergence(
            stop=Stop.OPTIMUM if answer["converged"].item() else Stop.ITERATION_LIMIT,
            message=search_report(answer),
            iterations=int(answer["iterations"].item()),
        )
        criteria = Criteria(
            log_likelihood=answer["log_likelihood"].item(),
            n_parameters=round(answer["n_parameters"].item()),
            aic=answer["aic"].item(),
            bic_observations=answer["bic"].item(),
        )
        return Decoded(
            estimates=gbtm_estimates(answer, spec, request, mixture, criteria),
            optimum=point_of(spec_order(mixture, spec)) if shares.min() > 0 else None,
            evidence=evidence,
            convergence=with_empty_class(converged, mixture.shares, len(mixture.posterior)),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return flexmix's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # its densities hold everywhere
        """Return that flexmix's densities can be evaluated anywhere."""
        return True

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return how flexmix's definition differs."""
        rule = SIGMA_RULE[the_gbtm(spec).sigma]
        return (
            f"flexmix's M-step for sigma is not the likelihood's, so that it ends below the maximum: {rule}.",
            "Fitted with minprior = 0 and tolerance = 1e-14, so that no class is removed and EM does not stop early.",
            "The log-likelihood at given parameters is formed by flexmix's own component densities and log-sum.",
            "Classes are put in the order of their mean fitted value.",
            "Entropy and average posterior probabilities are formed from flexmix's posterior.",
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return what flexmix does not have."""
        return {
            ".standard_error": "flexmix's refit() takes derivatives where its estimates are no maximum.",
            "bic_subjects.penalty": "flexmix counts rows in BIC.",
        }
