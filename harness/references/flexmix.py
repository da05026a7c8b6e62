"""R's flexmix: mixtures of gaussian, Poisson and binomial regressions by EM (reference_r/flexmix.R)."""

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

SIGMA_RULE = {
    "shared": "sigma^2 = sum(w r^2) / (n - p_1 / K) over n rows, p_1 coefficients of the spec's first class, K classes",
    "class": "sigma_g^2 = sum(w_g r_g^2) / sum(w_g) * n / (n - p_g) over n rows, p_g coefficients of class g",
}


class Flexmix:
    """Decoder of flexmix's answers."""

    name = "flexmix"

    def support(self, spec: Spec) -> Support:
        """Return what flexmix can do: gaussian, Poisson and binomial outcomes with any orders (nested terms)."""
        if not isinstance(spec, GbtmSpec) or spec.family not in {"gaussian", "poisson", "logit"}:
            reason = "Only gaussian, Poisson and binomial trajectory models are translated to flexmix."
            return Support(fit=False, objective=False, reason=reason)
        if spec.family == "gaussian" and spec.sigma == "visit":
            return Support(fit=False, objective=False, reason="flexmix has no sigma for each visit.")
        if spec.random is not None or spec.errors != "independent":
            reason = "Random effects and correlated errors within classes are not translated to flexmix."
            return Support(fit=False, objective=False, reason=reason)
        if spec.weights is not None or spec.dropout is not None:
            return Support(fit=False, objective=False, reason="Weights and dropout are not translated to flexmix.")
        return Support(fit=True, objective=True)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return gbtm_request(the_gbtm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return flexmix's fit in our words."""
        design = the_design(case)
        spec = design.spec
        sigma = {"shared": answer["sigma"][:1], "class": answer["sigma"]}[spec.sigma]
        own = Fitted(
            design=design,
            membership=answer["membership"],
            values=np.concatenate(
                [*answer["effects"], answer["common"], sigma if spec.family == "gaussian" else np.empty(0)]
            ),
            posterior=answer["posterior"],
        )
        canonical = own.canonical()
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
            estimates=gbtm_estimates(answer, request, canonical, criteria),
            optimum=canonical.as_in(spec).point if canonical.shares.min() > 0 else None,
            evidence=gbtm_evidence(answer, design),
            convergence=with_empty_class(converged, canonical.shares, len(canonical.posterior)),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return flexmix's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # its densities hold everywhere
        """Return that flexmix's densities can be evaluated anywhere."""
        return True

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return how flexmix's definition differs."""
        gbtm = the_gbtm(spec)
        rule = "flexmix's M-step for sigma is not the likelihood's, so that it ends below the maximum: {}."
        multinom = "Membership coefficients are those of flexmix's last step; nnet goes on to 1e-15, not 1e-8."
        return (
            *((rule.format(SIGMA_RULE[gbtm.sigma]),) if gbtm.family == "gaussian" else ()),
            "Fitted with minprior = 0 and tolerance = 1e-14, so that no class is removed and EM does not stop early.",
            "The log-likelihood at given parameters is formed by flexmix's own component densities and log-sum.",
            "Classes are put in the order of their mean fitted value.",
            "Entropy and average posterior probabilities are formed from flexmix's posterior.",
            *((multinom,) if gbtm.membership else ()),
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return what flexmix does not have."""
        return {
            ".standard_error": "flexmix's refit() takes derivatives where its estimates are no maximum.",
            "bic_subjects.penalty": "flexmix counts rows in BIC.",
        }
