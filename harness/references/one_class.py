"""Trajectory models of one class, which R fits as regressions: glm, survreg, zeroinfl, glmmTMB."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import numpy as np

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.gbtm.spec import Family, GbtmSpec
from harness.quantities import Point
from harness.references.decoding import Answered, Decoded
from harness.references.gbtm_answers import Criteria, Fitted, gbtm_estimates, gbtm_evidence, the_design, the_gbtm
from harness.references.requests import Request, gbtm_request


class OneClass:
    """What the decoders of regressions share; each says which families it fits and what its last parameter is."""

    name: str
    families: ClassVar[frozenset[Family]]
    on_log_scale: ClassVar[bool] = False
    """Whether R's covariance has the logarithm of the last parameter in its place."""
    evaluates: ClassVar[bool] = True
    remarks: ClassVar[tuple[str, ...]] = ()

    def support(self, spec: Spec) -> Support:
        """Return whether this is a model of one class in one of the families."""
        return regression_support(self.name, self.families, spec)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return gbtm_request(the_gbtm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return R's regression as a mixture of one class."""
        design = the_design(case)
        estimates, V = answer["estimates"], np.array(answer["V"])
        if self.on_log_scale:
            V[-1] *= estimates[-1]
            V[:, -1] *= estimates[-1]
        fitted = Fitted(
            design=design,
            membership=np.zeros((1, 1)),
            values=estimates,
            posterior=np.ones((len(answer["subjects"]), 1)),
            covariance=V,
        )
        criteria = Criteria(
            log_likelihood=answer["log_likelihood"].item(),
            n_parameters=round(answer["n_parameters"].item()),
            aic=answer["aic"].item(),
            bic_observations=answer["bic"].item(),
        )
        return Decoded(
            estimates=gbtm_estimates(answer, request, fitted, criteria),
            optimum=fitted.point,
            evidence=gbtm_evidence(answer, design),
            convergence=Convergence(
                stop=Stop.OPTIMUM if answer["converged"].item() else Stop.REPORTED_FAILURE,
                message=f"{self.name}'s own criterion",
                iterations=int(answer["iterations"].item()),
            ),
            reached=None if self.evaluates else criteria.log_likelihood,
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return R's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # everywhere, or nowhere
        """Return whether R has the log-likelihood of this regression as a function."""
        return self.evaluates

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return what the decoder adds."""
        log = "The standard error of the last parameter follows from that of its logarithm by the delta method."
        return ("A regression is a mixture of one class.", *self.remarks, *((log,) if self.on_log_scale else ()))

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return what a regression does not know."""
        return {"bic_subjects.penalty": "R counts rows in BIC."}


def regression_support(name: str, families: Collection[Family], spec: Spec) -> Support:
    """Return whether a model is one of one class, whose rows are independent and alike, in one of the families."""
    if not isinstance(spec, GbtmSpec) or spec.family not in families:
        expected = " or ".join(sorted(families))
        return Support(fit=False, objective=False, reason=f"{name} is asked for {expected} models only.")
    if spec.n_classes > 1:
        return Support(fit=False, objective=False, reason=f"{name} fits one class.")
    if (
        spec.random is not None
        or spec.errors != "independent"
        or spec.weights is not None
        or spec.dropout is not None
        or spec.sigma == "visit"
        or -1 in (spec.zero_orders or ())
    ):
        reason = "The rows of a regression are independent and alike; it has neither weights nor dropout."
        return Support(fit=False, objective=False, reason=reason)
    return Support(fit=True, objective=True)


class Glm(OneClass):
    """stats::glm: Poisson and binomial trajectories."""

    name = "glm"
    families = frozenset({"poisson", "logit"})


class Survreg(OneClass):
    """survival::survreg: censored normal trajectories."""

    name = "survreg"
    families = frozenset({"censored_normal"})
    on_log_scale = True
    remarks = ("Values at a limit are left- or right-censored in Surv(type = 'interval').",)


class Zeroinfl(OneClass):
    """pscl::zeroinfl: zero-inflated Poisson trajectories."""

    name = "zeroinfl"
    families = frozenset({"zip"})
    evaluates = False
    remarks = ("zeroinfl's standard errors come from a numerical Hessian of its log-likelihood.",)


class GlmmTmbBeta(OneClass):
    """glmmTMB's beta_family: beta trajectories."""

    name = "glmmTMB_beta"
    families = frozenset({"beta"})
    on_log_scale = True
    remarks = (
        "Mean mu and precision phi: shape parameters mu phi and (1 - mu) phi.",
        "The covariance is from TMB's exact Hessian; that of vcov() is from differences of the gradient.",
    )

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return glmmTMB's regression; nlminb reports a failure where nothing is left to gain, so ask the gradient."""
        decoded = super().decode(answer, case, request)
        distance = float(answer["distance"].item())
        stop = Stop.OPTIMUM if distance < _NEAR else decoded.convergence.stop
        convergence = Convergence(
            stop=stop,
            message=f"nlminb's own criterion {'met' if answer['converged'].item() else 'not met'}",
            iterations=decoded.convergence.iterations,
            distance=distance,
        )
        return Decoded(
            estimates=decoded.estimates, optimum=decoded.optimum, evidence=decoded.evidence, convergence=convergence
        )


_NEAR = 1e-3  # standard errors from the maximum, by the gradient
