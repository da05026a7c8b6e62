"""Why two engines disagree: causes in a fixed order, the first that explains every disagreement is named.

A cause explains only what it can bring about: a search that stopped early moves estimates and standard errors, but not
the number of parameters. A disagreement that no cause explains blocks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi

import numpy as np

from harness.comparison.adjudication import is_rounding
from harness.comparison.alignment import Alignment
from harness.comparison.findings import NOISE, Findings, gather
from harness.comparison.joint import DISTANCE, INPUT
from harness.comparison.verdict import Attribution, Comparison, CrossEvidence, Outcome, Verdict
from harness.comparison.yardstick import IRREGULAR, LOG_LIKELIHOOD
from harness.convergence import Stop
from harness.quantities import Kind, Reading

UNFINISHED = frozenset({Stop.SADDLE, Stop.ITERATION_LIMIT, Stop.REPORTED_FAILURE})

FITTED = frozenset({Kind.OPTIMUM, Kind.CURVATURE, Kind.POSTERIOR, Kind.STOCHASTIC})
"""What depends on where a search ended."""

KNOWN_CONSTANTS = {
    "half of log(2 pi) for each observation": log(2 * pi) / 2,
    "lcmm's single-precision 2 pi in each observation": log(6.2831854820251465 / (2 * pi)) / 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause with its evidence in one sentence, and what to do."""

    attribution: Attribution
    sentence: str
    next_step: str


def engine_failure(left: Reading, right: Reading) -> Cause | None:
    """Return the cause `engine` if a side has no answer."""
    for reading in (left, right):
        if reading.failure is not None:
            failure = reading.failure
            tail = f" It printed last: {failure.evidence}" if failure.evidence else ""
            return Cause(
                attribution=Attribution.ENGINE,
                sentence=f"{reading.engine} gave no answer ({failure.reason}): {failure.sentence}{tail}",
                next_step="Run `harness doctor`, repair the engine, and compare again.",
            )
    return None


def attribute(
    left: Reading, right: Reading, evidence: CrossEvidence, verdicts: tuple[Verdict, ...], alignment: Alignment
) -> Cause | None:
    """Return why the engines disagree, `labels` if they agree after renaming classes, None if there is nothing to say.

    Causes are tried in the order of `Attribution`; the first hit ends the search.
    """
    found = gather(left, right, evidence, verdicts)
    if not found.disagreements:
        return _labels(found, alignment)
    return next((cause for try_cause in CAUSES if (cause := try_cause(found)) is not None), _unexplained(found))


def needs_restart(comparison: Comparison) -> bool:
    """Return whether starting the engine with the lower log-likelihood at the other's estimates would tell more.

    It would when both log-likelihoods are the same function, differ at the optima, and nobody has tried it yet.
    """
    if comparison.attribution not in {Attribution.LOCAL_OPTIMUM, Attribution.BOUNDARY, Attribution.UNEXPLAINED}:
        return False
    gaps = [v for v in comparison.verdicts if v.quantity == LOG_LIKELIHOOD and v.observed is not None]
    objectives = [v for v in comparison.verdicts if v.kind is Kind.OBJECTIVE]
    return (
        comparison.evidence.restart is None
        and any(gap.outcome is not Outcome.AGREE for gap in gaps)
        and bool(objectives)
        and all(v.outcome is Outcome.AGREE for v in objectives)
    )


def _input(found: Findings) -> Cause | None:
    counted = {"n_observations", "n_subjects"}
    differing = [v for v in found.disagreements if v.quantity.startswith(INPUT) or v.quantity in counted]
    if not differing:
        return None
    return Cause(
        attribution=Attribution.INPUT,
        sentence=f"The engines were not given the same data: {_both_values(differing)}.",
        next_step="Look for dropped rows, recoded levels or shuffled columns on the way to the engine.",
    )


def _labels(found: Findings, alignment: Alignment) -> Cause | None:
    if alignment.is_identity:
        return None
    renamed = ", ".join(
        f"class {theirs} of {found.right.engine} is class {ours} of {found.left.engine}"
        for theirs, ours in sorted(alignment.permutation.items())
    )
    doubt = " The next best match is almost as good." if alignment.is_ambiguous else ""
    return Cause(
        attribution=Attribution.LABELS,
        sentence=f"They agree once classes are renamed: {renamed} (by {alignment.evidence}, {alignment.margin:.2g}"
        f" better than the next match).{doubt}",
        next_step="Nothing to do: the numbering of latent classes is arbitrary.",
    )


def _not_converged(found: Findings) -> Cause | None:
    if not found.all_measured(*FITTED):
        return None
    for reading in (found.right, found.left):
        if reading.convergence is not None and reading.convergence.stop in UNFINISHED:
            message = f" ({reading.convergence.message})" if reading.convergence.message else ""
            return Cause(
                attribution=Attribution.NOT_CONVERGED,
                sentence=f"{reading.engine} says that it did not converge: {reading.convergence.stop}{message}.",
                next_step=reading.convergence.next_step,
            )
    gradient, limit = found.evidence.gradient_at_right, NOISE * found.distance_limit
    if gradient is not None and gradient > limit and found.gap > found.scales.rounding:
        return Cause(
            attribution=Attribution.NOT_CONVERGED,
            sentence=f"{found.right.engine} stopped {gradient:.2g} standard errors from a stationary point"
            f" (limit {limit:g}), with a log-likelihood {found.gap:.3g} lower.",
            next_step=f"Fit {found.right.engine} with tighter control of its optimiser.",
        )
    return None


def _constant(found: Findings) -> Cause | None:
    offsets = found.offsets
    if len(offsets) < 3 or found.offsets_vary or not found.differing_objectives:
        return None
    constant = float(np.mean(offsets))
    affected = all(
        v.kind is Kind.OBJECTIVE
        or (
            v.quantity in {LOG_LIKELIHOOD, DISTANCE}
            and abs(found.gap - constant) <= found.scales.gap_limit.limit + found.scales.rounding
        )
        for v in found.disagreements
    )
    if not affected or is_rounding(found):
        return None
    per_row = constant / found.scales.n_observations
    names = [name for name, value in KNOWN_CONSTANTS.items() if abs(abs(per_row) / value - 1) < 1e-3]
    known = f", which is {names[0]}" if names else ""
    return Cause(
        attribution=Attribution.CONSTANT,
        sentence=f"The log-likelihoods differ by {constant:.9g} at all of {len(offsets)} points{known}.",
        next_step="Find the constant that one engine leaves out (2 pi, log|X'X|, a factorial) and state it"
        " in the decoder.",
    )


def _definition(found: Findings) -> Cause | None:
    offsets = found.offsets
    if not (found.differing_objectives and found.all_measured(*FITTED, Kind.OBJECTIVE)):
        return None
    if is_rounding(found) or (len(offsets) >= 3 and not found.offsets_vary):
        return None
    few = " Fewer than three points can't tell a constant." if len(offsets) < 3 else ""
    return Cause(
        attribution=Attribution.DEFINITION,
        sentence=f"The log-likelihoods are different functions: at the same parameters they differ by"
        f" {min(offsets):.6g} to {max(offsets):.6g}.{few}",
        next_step="Compare criterion (ML or REML), family, weights and parameterisation of both engines.",
    )


def _local_optimum(found: Findings) -> Cause | None:
    limit = found.scales.gap_limit.limit
    if found.in_one_basin or not (found.all_measured(*FITTED) and found.objectives_agree and abs(found.gap) > limit):
        return None
    loser, winner_best = found.loser, max(found.left_best, found.right_best)
    restart, gradient = found.evidence.restart, found.evidence.gradient_at_right
    settled, told = False, ""
    if restart is not None:
        settled = restart.engine == loser.engine and restart.log_likelihood >= winner_best - limit
        told = f"started at the other's estimates it reaches {restart.log_likelihood:.9g}"
    elif loser is found.right and gradient is not None:
        settled = gradient <= NOISE * found.distance_limit
        told = f"its estimates are stationary (gradient {gradient:.2g} standard errors); it was not started again"
    if not settled:
        return None
    return Cause(
        attribution=Attribution.LOCAL_OPTIMUM,
        sentence=f"{loser.engine} ended at a local optimum, {abs(found.gap):.6g} below {winner_best:.9g}: {told}.",
        next_step=f"Give {loser.engine} more starts, or the other's estimates as its start.",
    )


def _boundary(found: Findings) -> Cause | None:
    if not found.all_measured(*FITTED):
        return None
    for reading in (found.right, found.left):
        if reading.convergence is not None and reading.convergence.stop in IRREGULAR:
            return Cause(
                attribution=Attribution.BOUNDARY,
                sentence=f"{reading.engine} stopped at: {reading.convergence.stop}; the log-likelihoods differ by"
                f" {found.gap:.3g}, and what differs most is {_worst(found)}.",
                next_step=reading.convergence.next_step,
            )
    return None


def _optimiser_noise(found: Findings) -> Cause | None:
    if not found.in_one_basin:
        return None
    far = found.distance
    # Standard errors and predictions move by no more than about D, relatively and in their own units.
    follows = all(v.kind is Kind.OPTIMUM or (v.observed is not None and v.observed <= far) for v in found.disagreements)
    if found.differing_objectives or not follows or not found.all_measured(*FITTED):
        return None
    return Cause(
        attribution=Attribution.OPTIMISER_NOISE,
        sentence=f"Both are in one basin, D = {far:.2g} standard errors apart (limit {found.distance_limit:g}), and"
        f" the log-likelihood gap {abs(found.gap):.2g} is consistent with D^2/2 = {far**2 / 2:.2g}.",
        next_step="Fit the engine with the lower log-likelihood with tighter control of its optimiser.",
    )


def _hessian(found: Findings) -> Cause | None:
    agreeing = [v for v in found.verdicts.values() if v.kind is Kind.OPTIMUM and v.outcome is Outcome.AGREE]
    if not (agreeing and found.all_measured(Kind.CURVATURE)):
        return None
    return Cause(
        attribution=Attribution.HESSIAN,
        sentence=f"{len(agreeing)} estimates agree, {len(found.disagreements)} standard errors, covariances or"
        f" tests do not;"
        f" worst: {_worst(found)}.",
        next_step="Compute both from one Hessian at one parameter point; look for expected against observed"
        " information and for a factor such as sqrt(n/(n-p)).",
    )


def _float(found: Findings) -> Cause | None:
    if not (is_rounding(found) and found.differing_objectives and found.all_measured(*FITTED, Kind.OBJECTIVE)):
        return None
    return Cause(
        attribution=Attribution.FLOAT,
        sentence=f"Both have the same log-likelihood, which one of them rounds: it differs at"
        f" {len(found.differing_objectives)} points, and what differs most is {_worst(found)}.",
        next_step="Rescale the data for the engine that rounds, or judge it by the exact values.",
    )


def _unexplained(found: Findings) -> Cause:
    silent = [v for v in found.disagreements if v.observed is None]
    first = f"{silent[0].quantity}: {silent[0].reason}" if silent else _worst(found)
    return Cause(
        attribution=Attribution.UNEXPLAINED,
        sentence=f"{len(found.disagreements)} quantities disagree and no cause explains them all; first: {first}.",
        next_step="Reduce it to a small case and evaluate both engines step by step; it blocks until explained.",
    )


CAUSES: tuple[Callable[[Findings], Cause | None], ...] = (
    _input,
    _not_converged,
    _constant,
    _definition,
    _local_optimum,
    _boundary,
    _optimiser_noise,
    _hessian,
    _float,
)


def _worst(found: Findings) -> str:
    def excess(verdict: Verdict) -> float:
        observed, limit = verdict.observed or 0.0, verdict.limit or 0.0
        return observed / limit if limit > 0 else float("inf")

    worst = max(found.disagreements, key=excess)
    values = "" if worst.left_value is None else f" ({worst.left_value!r} and {worst.right_value!r})"
    return f"{worst.quantity}{values}, {worst.observed:.3g} {worst.metric}, limit {worst.limit:.3g}"


def _both_values(verdicts: list[Verdict]) -> str:
    shown = [f"{v.quantity} is {v.left_value!r} and {v.right_value!r}" for v in verdicts[:3]]
    rest = len(verdicts) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")
