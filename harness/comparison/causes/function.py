"""Causes in the log-likelihood itself: a constant, another definition, or rounding."""

from math import log, pi

import numpy as np

from harness.comparison.adjudication import gap_is_rounding, is_rounding
from harness.comparison.causes.cause import FITTED, Cause, worst
from harness.comparison.findings import Findings
from harness.comparison.joint import DISTANCE
from harness.comparison.verdict import Attribution
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.quantities import Kind

KNOWN_CONSTANTS = {
    "half of log(2 pi) for each observation": log(2 * pi) / 2,
    "lcmm's single-precision 2 pi in each observation": log(6.2831854820251465 / (2 * pi)) / 2,
}


def constant(found: Findings) -> Cause | None:
    """Return `constant` if the log-likelihoods differ by the same amount at three or more points."""
    offsets = found.offsets
    if len(offsets) < 3 or found.offsets_vary or not found.differing_objectives:
        return None
    amount = float(np.mean(offsets))
    affected = all(
        v.kind is Kind.OBJECTIVE
        or (
            v.quantity in {LOG_LIKELIHOOD, DISTANCE}
            and abs(found.gap - amount) <= found.scales.gap_limit.limit + found.scales.rounding
        )
        for v in found.disagreements
    )
    if not affected or is_rounding(found.evidence.adjudication):
        return None
    per_row = amount / found.scales.n_observations
    names = [name for name, value in KNOWN_CONSTANTS.items() if abs(abs(per_row) / value - 1) < 1e-3]
    known = f", which is {names[0]}" if names else ""
    return Cause(
        attribution=Attribution.CONSTANT,
        sentence=f"The log-likelihoods differ by {amount:.9g} at all of {len(offsets)} points{known}.",
        next_step="Find the constant that one engine leaves out (2 pi, log|X'X|, a factorial) and state it"
        " in the decoder.",
    )


def definition(found: Findings) -> Cause | None:
    """Return `definition` if the log-likelihoods differ by a varying amount."""
    offsets = found.offsets
    if not (found.differing_objectives and found.all_measured(*FITTED, Kind.OBJECTIVE)):
        return None
    if is_rounding(found.evidence.adjudication) or (len(offsets) >= 3 and not found.offsets_vary):
        return None
    few = " Fewer than three points can't tell a constant." if len(offsets) < 3 else ""
    return Cause(
        attribution=Attribution.DEFINITION,
        sentence=f"The log-likelihoods are different functions: at the same parameters they differ by"
        f" {min(offsets):.6g} to {max(offsets):.6g}.{few}",
        next_step="Compare criterion (ML or REML), family, weights and parameterisation of both engines.",
    )


def rounding(found: Findings) -> Cause | None:
    """Return `float` if the referee found one function in both, which one rounds as much as its end is lower."""
    adjudication = found.evidence.adjudication
    if not (is_rounding(adjudication) and found.differing_objectives and found.all_measured(*FITTED, Kind.OBJECTIVE)):
        return None
    # In one basin a search that rounds also stops a little early.
    if not (found.in_one_basin or gap_is_rounding(adjudication, found.scales.gap_limit.limit)):
        return None
    return Cause(
        attribution=Attribution.FLOAT,
        sentence=f"Both have the same log-likelihood, which one of them rounds: it differs at"
        f" {len(found.differing_objectives)} points, and what differs most is {worst(found)}.",
        next_step="Rescale the data for the engine that rounds, or judge it by the exact values.",
    )
