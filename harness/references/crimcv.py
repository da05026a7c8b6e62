"""R's crimCV: zero-inflated Poisson trajectories with one order for all classes (reference_r/crimCV.R)."""

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
    the_design,
    the_gbtm,
    with_empty_class,
)
from harness.references.requests import Request, gbtm_request


class CrimCV:
    """Decoder of crimCV's answers."""

    name = "crimCV"

    def support(self, spec: Spec) -> Support:
        """Return whether all classes are zero-inflated and alike, with nothing but time and an exposure."""
        if not isinstance(spec, GbtmSpec) or spec.family != "zip":
            return Support(fit=False, objective=False, reason="crimCV is asked for zero-inflated Poisson models.")
        lacks = {
            "a model of one class": spec.n_classes == 1,
            "classes of different orders": len(set(spec.orders)) > 1 or len(set(spec.zero_orders or ())) > 1,
            "a class without zero inflation": -1 in (spec.zero_orders or ()),
            "covariates": bool(spec.covariates or spec.common or spec.membership),
            "weights": spec.weights is not None,
            "dropout": spec.dropout is not None,
            "splines": bool(spec.knots),
        }
        missing = [what for what, is_asked in lacks.items() if is_asked]
        if missing:
            return Support(fit=False, objective=False, reason=f"crimCV is not asked for {', '.join(missing)}.")
        return Support(fit=True, objective=True)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return gbtm_request(the_gbtm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return crimCV's fit in our words."""
        design = the_design(case)
        canonical = Fitted(
            design=design,
            membership=np.log(answer["shares"])[None],
            values=np.concatenate([*answer["beta"], *answer["zero"]]),
            posterior=answer["posterior"],
        ).canonical()
        ends = answer["ends"]
        converged = Convergence(
            stop=Stop.OPTIMUM,
            message=f"{len(ends)} distinct ends from {answer['n_starts'].item():.0f} starts, the best {ends.max():.6f}",
        )
        criteria = Criteria(
            log_likelihood=answer["log_likelihood"].item(),
            n_parameters=len(canonical.point),
            aic=answer["aic"].item(),
        )
        return Decoded(
            estimates=gbtm_estimates(answer, request, canonical, criteria),
            optimum=canonical.as_in(design.spec).point,
            evidence=gbtm_evidence(answer, design),
            convergence=with_empty_class(converged, canonical.shares, len(canonical.posterior)),
            reached=criteria.log_likelihood,
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return crimCV's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # it has no such function
        """Return that crimCV has its log-likelihood at its own ends only."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return what was done around crimCV."""
        return (
            "Polynomials are fitted on crimCV's B-splines; coefficients of powers follow from them exactly.",
            "Missing visits travel as negative counts, as crimCV wants them.",
            "Classes are put in the order of their mean fitted value.",
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return what crimCV does not have."""
        bic = "crimCV counts all cells of its table in BIC, those without a visit, too."
        return {
            ".standard_error": "crimCV sorts its classes by size, but not the rows of its information.",
            "bic_subjects.penalty": bic,
            "bic_observations.penalty": bic,
        }
