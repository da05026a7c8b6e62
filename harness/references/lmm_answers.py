"""What the engines of linear mixed models have in common: fixed and random effects by name, modes by level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.cases import Case, Spec
from harness.lmm.estimates import LmmEstimates, RandomEffects
from harness.lmm.spec import LmmSpec
from harness.quantities import InputEvidence
from harness.references.decoding import Answered, input_evidence
from harness.references.names import our_names
from harness.references.requests import Request
from harness.references.residuals import Residual


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variances:
    """The covariance parameters as one engine has them."""

    theta: Vector
    random: tuple[RandomEffects, ...]
    sigma: float | None
    residual: Residual = ((), {})


def the_lmm(spec: Spec) -> LmmSpec:
    """Return the spec as what `support` has already seen that it is."""
    if not isinstance(spec, LmmSpec):
        msg = f"{type(spec).__name__} is no linear mixed model"
        raise TypeError(msg)
    return spec


def lmm_evidence(engine: str, answer: Answered, case: Case, request: Request) -> InputEvidence:
    """Return what R says it was given, columns of X by our names."""
    return input_evidence(answer, fixed_names(engine, answer["evidence"]["design_names"], case, request))


def fixed_names(engine: str, r_names: Sequence[str], case: Case, request: Request) -> tuple[str, ...]:
    """Return our names of R's columns of X."""
    return our_names(engine, r_names, the_lmm(case.spec).formula.terms, request)


def lmm_estimates(
    engine: str, answer: Answered, case: Case, request: Request, *, variances: Variances, bic: float
) -> LmmEstimates:
    """Return the estimates of an engine that gives beta, their covariance, and criteria."""
    counts = answer["evidence"]
    return LmmEstimates(
        criterion=the_lmm(case.spec).criterion,
        fixed_names=fixed_names(engine, answer["beta_names"], case, request),
        beta=read_only(answer["beta"]),
        vcov=read_only(answer["vcov"]),
        theta=read_only(variances.theta),
        random=variances.random,
        sigma=variances.sigma,
        residual=variances.residual[0],
        residual_parameters=variances.residual[1],
        log_likelihood=answer["log_likelihood"].item(),
        aic=answer["aic"].item(),
        bic=bic,
        n_observations=int(counts["n_observations"].item()),
        n_subjects=int(counts["n_subjects"].item()),
        n_parameters=int(answer["n_parameters"].item()),
    )


def random_effects(engine: str, answer: Answered, case: Case, request: Request) -> tuple[RandomEffects, ...]:
    """Return the random effects by grouping factor, both in the order of the formula.

    `answer["blocks"]` holds one covariance a term of R, in the formula's order; `answer["modes"]` one table a grouping
    factor, with columns in R's order, and variances a block each or none; an engine may give no tables.
    """
    blocks: dict[tuple[str, ...], list[Any]] = {}
    for block in answer["blocks"]:
        blocks.setdefault(tuple(block["grouping"]), []).append(block)
    tables = {tuple(table["grouping"]): table for table in answer["modes"]}
    return tuple(_of_one_grouping(engine, own, tables.get(grouping), case, request) for grouping, own in blocks.items())


def _of_one_grouping(
    engine: str,
    blocks: Sequence[Any],
    table: Any,  # noqa: ANN401  # a list of R
    case: Case,
    request: Request,
) -> RandomEffects:
    letters = tuple(blocks[0]["grouping"])
    grouping = ":".join(request.names[letter] for letter in letters)
    randoms = (random for random in the_lmm(case.spec).formula.random if random.subject == grouping)
    terms = [term for random in randoms for term in random.terms]
    names = our_names(engine, [name for block in blocks for name in block["names"]], terms, request)
    cov = read_only(block_diagonal([block["cov"] for block in blocks]))
    if table is None:
        return RandomEffects(grouping=grouping, names=names, cov=cov, labels=(), modes=np.empty((0, len(names))))
    given = our_names(engine, table["names"], terms, request)
    order = [given.index(name) for name in names]
    return RandomEffects(
        grouping=grouping,
        names=names,
        cov=cov,
        labels=tuple(request.label(level, letters) for level in table["levels"]),
        modes=read_only(table["modes"][:, order]),
        modes_cov=None if table["variances"] is None else read_only(_conditional_cov(table["variances"], order)),
    )


def _conditional_cov(by_block: Sequence[Tensor], order: Sequence[int]) -> Tensor:
    """Return (m, q, q) of blocks (q_b, q_b, m); no covariance is given across blocks."""
    by_level = zip(*(np.moveaxis(block, 2, 0) for block in by_block), strict=True)
    full = np.array([block_diagonal(blocks, fill=np.nan) for blocks in by_level])
    return full[:, order][:, :, order]


def block_diagonal(blocks: Sequence[Matrix], fill: float = 0.0) -> Matrix:
    """Return one matrix with the blocks along its diagonal."""
    size = sum(len(block) for block in blocks)
    matrix = np.full((size, size), fill)
    at = 0
    for block in blocks:
        matrix[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return matrix
