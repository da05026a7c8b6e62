"""R's mmrm: residual structures over visits, with both kinds of degrees of freedom (reference_r/mmrm.R)."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.cases import Case, Spec, Support
from harness.convergence import Convergence, Stop
from harness.lmm.estimates import LmmEstimates
from harness.lmm.inference.quantities import coefficient_quantities
from harness.lmm.spec import LmmSpec
from harness.quantities import OptimumCovariance, Point, Quantity
from harness.references.decoding import Answered, Decoded
from harness.references.lmm_answers import Variances, lmm_estimates, lmm_evidence, the_lmm
from harness.references.lmm_requests import lmm_request
from harness.references.lmm_tests import decoded_table
from harness.references.requests import Request
from harness.references.residuals import residual_part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TestedEstimates:
    """Estimates of a model, and tests of its fixed effects."""

    estimates: LmmEstimates
    tests: tuple[Quantity, ...]

    def quantities(self) -> tuple[Quantity, ...]:
        """Return every number by path."""
        return (*self.estimates.quantities(), *self.tests)

    def optimum_covariance(self) -> OptimumCovariance | None:
        """Return the joint covariance of the estimates, if the engine gives one."""
        return self.estimates.optimum_covariance()


class Mmrm:
    """Decoder of mmrm's answers, whose count of parameters and of observations is brought to lme4's."""

    name = "mmrm"

    def support(self, spec: Spec) -> Support:
        """Return what mmrm can do with the model; its criterion is known at its optimum only."""
        reason = _unknown_to_mmrm(spec)
        return Support(fit=not reason, objective=not reason, reason=reason)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lmm_request(the_lmm(case.spec), case.cohort)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return mmrm's fit and tests in our words."""
        residual = residual_part(answer["residual"], the_lmm(case.spec).formula.residual, request)
        answer = {**answer, **_criteria_by_lme4(answer)}
        estimates = lmm_estimates(
            self.name,
            answer,
            case,
            request,
            variances=Variances(theta=np.empty(0), random=(), sigma=None, residual=residual),
            bic=answer["bic"].item(),
        )
        tests = tuple(self._tests(answer, estimates.fixed_names, case, request))
        return Decoded(
            estimates=TestedEstimates(estimates=estimates, tests=tests),
            optimum=tuple(residual[1].values()),
            evidence=lmm_evidence(self.name, answer, case, request),
            convergence=Convergence(stop=Stop.OPTIMUM, message=f"by {answer['message'][0]}; mmrm refuses other ends"),
            reached=estimates.log_likelihood,
        )

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # nothing to add
        """Return mmrm's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # no operation for it
        """Return that its criterion is known at its optimum only."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return how mmrm was run and what was changed."""
        return (
            "Fitted by mmrm with BFGS, reltol = 1e-15, else by CG.",
            "mmrm's AIC and BIC count covariance parameters only, its BIC subjects; they are brought to lme4's here.",
            'Kenward-Roger is mmrm\'s "Kenward-Roger-Linear": observed information, no second-order term.',
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that it gives all that is asked of it."""
        return {}

    def _tests(self, answer: Answered, names: tuple[str, ...], case: Case, request: Request) -> Iterator[Quantity]:
        for method, key in (("satterthwaite", "satterthwaite"), ("kenward-roger-observed-linear", "kenward_roger")):
            given: Any = answer[key]
            if given is None:
                continue
            yield from coefficient_quantities(
                method,
                names,
                statistic=given["statistic"],
                df=given["df"],
                p_value=given["p_value"],
                standard_error=given["standard_error"] if key == "kenward_roger" else None,
            )
            yield from decoded_table(self.name, f"{method}.term", given["terms"], case, request)


def _unknown_to_mmrm(spec: Spec) -> str:
    """Return why mmrm has no such model; empty if it has."""
    if not isinstance(spec, LmmSpec):
        return "It fits linear mixed models only."
    residual = spec.formula.residual
    if spec.formula.random or residual is None:
        return "It has residual structures only, no random effects."
    return "Its structures of time are given at its own scale." if residual.structure == "car1" else ""


def _criteria_by_lme4(answer: Answered) -> dict[str, Any]:
    """Return AIC and BIC that count all parameters, and all rows."""
    counted, p = float(answer["n_parameters"].item()), len(answer["beta"])
    n, m = (float(answer["evidence"][name].item()) for name in ("n_observations", "n_subjects"))
    return {
        "n_parameters": np.array([counted + p]),
        "aic": answer["aic"] + 2 * p,
        "bic": answer["bic"] + (counted + p) * math.log(n) - counted * math.log(m),
    }
