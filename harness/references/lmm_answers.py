"""What lme4 and nlme have in common: fixed and random effects by name, conditional modes by subject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.cases import Case, Spec, Support
from harness.formula import Term
from harness.lmm.estimates import LmmEstimates, RandomEffects
from harness.lmm.spec import LmmSpec
from harness.quantities import InputEvidence
from harness.references.decoding import Answered, input_evidence
from harness.references.names import our_names
from harness.references.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variances:
    """The random part as one engine has it: theta (k,), random_cov (q, q), sigma, conditional_cov (m, q, q)."""

    theta: Vector
    random_cov: Matrix
    sigma: float
    conditional_cov: Tensor | None


def lmm_support(spec: Spec) -> Support:
    """Return whether the model is one that `(terms | subject)` describes."""
    if not isinstance(spec, LmmSpec):
        return Support(fit=False, objective=False, reason="It fits linear mixed models only.")
    if len(spec.formula.random) != 1:
        return Support(fit=False, objective=False, reason="Only one random term is translated to R.")
    return Support(fit=True, objective=True)


def lmm_evidence(engine: str, answer: Answered, case: Case, request: Request) -> InputEvidence:
    """Return what R says it was given, columns of X by our names."""
    terms = the_lmm(case.spec).formula.terms
    return input_evidence(answer, _names(engine, answer["evidence"]["design_names"], terms, case, request))


def lmm_estimates(
    engine: str, answer: Answered, case: Case, request: Request, *, variances: Variances, bic: float
) -> LmmEstimates:
    """Return the estimates, random effects in the order of R's random terms."""
    spec = the_lmm(case.spec)
    formula, counts = spec.formula, answer["evidence"]
    return LmmEstimates(
        criterion=spec.criterion,
        fixed_names=_names(engine, answer["beta_names"], formula.terms, case, request),
        beta=read_only(answer["beta"]),
        vcov=read_only(answer["vcov"]),
        theta=read_only(variances.theta),
        random=(
            RandomEffects(
                grouping=formula.random[0].subject,
                names=_names(engine, answer["random_names"], formula.random[0].terms, case, request),
                cov=read_only(variances.random_cov),
                labels=tuple(request.subject_labels[int(level[1:]) - 1] for level in answer["subjects"]),
                modes=read_only(answer["modes"]),
                modes_cov=None if variances.conditional_cov is None else read_only(variances.conditional_cov),
            ),
        ),
        sigma=variances.sigma,
        log_likelihood=answer["log_likelihood"].item(),
        aic=answer["aic"].item(),
        bic=bic,
        n_observations=int(counts["n_observations"].item()),
        n_subjects=int(counts["n_subjects"].item()),
        n_parameters=int(answer["n_parameters"].item()),
    )


def the_lmm(spec: Spec) -> LmmSpec:
    """Return the spec as what `support` has already seen that it is."""
    if not isinstance(spec, LmmSpec):
        msg = f"{type(spec).__name__} is no linear mixed model"
        raise TypeError(msg)
    return spec


def block_diagonal(blocks: Sequence[Matrix], fill: float = 0.0) -> Matrix:
    """Return one matrix with the blocks along its diagonal."""
    size = sum(len(block) for block in blocks)
    matrix = np.full((size, size), fill)
    at = 0
    for block in blocks:
        matrix[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return matrix


def _names(engine: str, r_names: Sequence[str], terms: Sequence[Term], case: Case, request: Request) -> tuple[str, ...]:
    levels: Mapping[str, Sequence[str]] = {name: factor.levels for name, factor in case.cohort.factors.items()}
    return our_names(engine, r_names, terms, request, levels)
