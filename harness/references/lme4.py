"""R's lme4: `lmer` by bobyqa with a tight stop (reference_r/lme4.R)."""

from collections.abc import Mapping

import numpy as np

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.errors import EngineError
from harness.lmm.spec import LmmSpec
from harness.quantities import Point
from harness.references.decoding import Answered, Decoded
from harness.references.lmm_answers import Variances, lmm_estimates, lmm_evidence, random_effects, the_lmm
from harness.references.lmm_requests import lmm_request
from harness.references.requests import Request

FALSE_ALARM = 1e-2
"""lme4's gradient check is by finite differences; within this distance, in standard errors, it is overruled."""


LME4_SEARCH = (
    "Fitted by lme4::lmer with bobyqa, rhoend = 1e-11.",
    "Where a diagonal of the relative factor ends at zero, fitted again from the other side of that bound.",
)


class Lme4:
    """Decoder of lme4's answers; lme4's definitions are ours, so that nothing is changed."""

    name = "lme4"

    def support(self, spec: Spec) -> Support:
        """Return what lme4 can do with the model."""
        return lme4_support(spec)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lme4_request(self.name, case)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return lme4's fit in our words."""
        variances = Variances(
            theta=answer["theta"],
            random=random_effects(self.name, answer, case, request),
            sigma=answer["sigma"].item(),
        )
        return Decoded(
            estimates=lmm_estimates(self.name, answer, case, request, variances=variances, bic=answer["bic"].item()),
            optimum=tuple(map(float, answer["theta"])),
            evidence=lmm_evidence(self.name, answer, case, request),
            convergence=lme4_convergence(answer),
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return lme4's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # any theta will do
        """Return that lme4 evaluates its criterion anywhere."""
        return True

    def conventions(self, spec: Spec) -> tuple[str, ...]:
        """Return how lme4 was run."""
        across = "lme4 gives no conditional covariance across `||`."
        correlated = all(random.correlated for random in the_lmm(spec).formula.random)
        return (*LME4_SEARCH, *(() if correlated else (across,)))

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that only standard errors of variances are missing, which are no quantities of their own."""
        return {}


def lme4_support(spec: Spec) -> Support:
    """Return whether lme4 has the model."""
    if not isinstance(spec, LmmSpec):
        return Support(fit=False, objective=False, reason="It fits linear mixed models only.")
    formula = spec.formula
    if formula.residual is not None or not formula.random:
        return Support(fit=False, objective=False, reason="It has no residual structures, and needs random effects.")
    return Support(fit=True, objective=True)


def lme4_request(engine: str, case: Case) -> Request:
    """Return the case as R gets it.

    Raises
    ------
    EngineError
        If the model has a form that lme4 would take for another one.
    """
    spec = the_lmm(case.spec)
    slopes = (atom for random in spec.formula.random if not random.correlated for term in random.terms for atom in term)
    if factors := sorted({atom.column for atom in slopes} & case.cohort.factors.keys()):
        listed = ", ".join(factors)
        raise EngineError(engine, "refused", f"`||` leaves the levels of a factor correlated in R: {listed}")
    return lmm_request(spec, case.cohort)


def lme4_convergence(answer: Answered) -> Convergence:
    """Return how lme4's search ended, also for what other packages make of its fit."""
    gradient, distance = _distances(answer)
    code = 0 if answer["code"] is None else int(np.atleast_1d(answer["code"])[0])
    complaints = " ".join(" ".join(answer["messages"]).split())
    if answer["singular"].item():
        stop = Stop.SINGULAR
    elif code != 0:
        stop = Stop.ITERATION_LIMIT
    elif complaints and not (distance is not None and distance < FALSE_ALARM):
        stop = Stop.REPORTED_FAILURE
    else:
        stop = Stop.OPTIMUM
    reached = ", ".join(f"{-2 * value:.9f}" for value in answer["reached"])
    starts = f"criterion reached from {len(answer['reached'])} starts: {reached}"
    return Convergence(
        stop=stop,
        message=f"{starts}; lme4 says: {complaints}" if complaints else starts,
        iterations=int(answer["evaluations"].item()),
        gradient=gradient,
        distance=distance,
    )


def _distances(answer: Answered) -> tuple[float | None, float | None]:
    """Return the largest gradient and the distance, in standard errors, from lme4's finite differences in theta."""
    slope, curvature = answer["gradient"], answer["hessian"]
    if slope is None or curvature is None or len(slope) != len(curvature):
        return None, None
    try:
        factor = np.linalg.cholesky(curvature)
    except np.linalg.LinAlgError:
        return None, None
    # lme4 differentiates -2 log L: the score is -slope/2, the information curvature/2.
    variances = 2 * np.diag(np.linalg.inv(curvature))
    scaled = np.linalg.solve(factor, slope)
    return float(np.max(np.abs(slope) / 2 * np.sqrt(variances))), float(np.sqrt(scaled @ scaled / 2))
