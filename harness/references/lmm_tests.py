"""What R's packages for inference have in common: tests of the fixed effects of a fit that lme4 made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.cases import Case
from harness.lmm.inference.quantities import effect_quantities, table_quantities
from harness.quantities import OptimumCovariance, Quantity
from harness.references.decoding import Answered, Decoded
from harness.references.lme4 import lme4_convergence
from harness.references.lmm_answers import fixed_names, lmm_evidence, the_lmm
from harness.references.names import our_terms
from harness.references.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tests:
    """Named numbers that an engine gives beside, or instead of, the estimates of a model."""

    named: tuple[Quantity, ...]

    def quantities(self) -> tuple[Quantity, ...]:
        """Return every number by path."""
        return self.named

    def optimum_covariance(self) -> OptimumCovariance | None:
        """Return that no covariance of the estimates comes with tests."""
        return None


def decoded_tests(engine: str, answer: Answered, case: Case, request: Request, tests: Iterator[Quantity]) -> Decoded:
    """Return lme4's fixed effects and the tests of them in our words."""
    counts = answer["evidence"]
    effects = effect_quantities(
        fixed_names(engine, answer["beta_names"], case, request),
        answer["beta"],
        answer["vcov"],
        log_likelihood=answer["log_likelihood"].item(),
        n_observations=int(counts["n_observations"].item()),
        n_subjects=int(counts["n_subjects"].item()),
    )
    return Decoded(
        estimates=Tests(named=(*effects, *tests)),
        optimum=tuple(map(float, answer["theta"])),
        evidence=lmm_evidence(engine, answer, case, request),
        convergence=lme4_convergence(answer),
        reached=answer["log_likelihood"].item(),
    )


def decoded_table(engine: str, table: str, given: Any, case: Case, request: Request) -> Iterator[Quantity]:  # noqa: ANN401
    """Yield one of R's tables of F tests, terms by our names."""
    terms = the_lmm(case.spec).formula.terms
    labels: Sequence[str] = given["terms"]
    yield from table_quantities(
        table,
        our_terms(engine, labels, terms, request),
        statistic=given["statistic"],
        df1=given["df1"],
        df2=given["df2"],
        p_value=given["p_value"],
        scaling=given.get("scaling"),
    )
