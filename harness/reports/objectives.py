"""Log-likelihoods of both engines at the same parameters, and what else was measured between them, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.comparison.verdict import Comparison, Outcome
from harness.reports.words import counted, listed, log_likelihood, name, number, signed

_WEIGHTS = 4
_ERRORS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRow:
    """Both log-likelihoods at one point; `at` says which point in words."""

    at: str
    left: str
    right: str
    difference: str


def objective_rows(comparison: Comparison) -> tuple[ObjectiveRow, ...]:
    """Return a row for each point at which both log-likelihoods were evaluated: both optima first, then the probes."""
    pairs = sorted(comparison.evidence.objectives, key=lambda pair: pair.label not in {"our optimum", "optimum"})
    at = {"our optimum": f"optimum of {comparison.left.engine}", "optimum": f"optimum of {comparison.right.engine}"}
    return tuple(
        ObjectiveRow(
            at=name(at.get(pair.label, pair.label), 40),
            left=log_likelihood(pair.left),
            right=log_likelihood(pair.right),
            difference=signed(pair.left - pair.right),
        )
        for pair in pairs
    )


def evidence_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Return what was measured beyond the quantities, one sentence each."""
    left, right = name(comparison.left.engine), name(comparison.right.engine)
    evidence, found = comparison.evidence, []
    if comparison.distance is not None:
        found.append(f"The two optima are D = {number(comparison.distance, 2)} standard errors apart.")
    if evidence.gradient_at_right is not None:
        found.append(
            f"By the gradient of {left}, the estimates of {right} lie {number(evidence.gradient_at_right, 2)}"
            " standard errors from a stationary point."
        )
    if evidence.restart is not None:
        found.append(
            f"Started again at the other's estimates, {name(evidence.restart.engine)} reached a log-likelihood of"
            f" {log_likelihood(evidence.restart.log_likelihood)}."
        )
    if comparison.outcome is not Outcome.AGREE:
        found += [*_flattest(comparison), *_recomputed(comparison)]
    return tuple(found)


def _flattest(comparison: Comparison) -> Iterator[str]:
    flat = comparison.evidence.flat
    if flat is None:
        return
    largest = sorted(flat.weights.items(), key=lambda item: -abs(item[1]))
    along = listed([f"{name(path, 40)} ({signed(weight)})" for path, weight in largest], _WEIGHTS)
    yield f"The log-likelihood bends least along {along}: information {number(flat.information, 2)}."


def _recomputed(comparison: Comparison) -> Iterator[str]:
    left, right = name(comparison.left.engine), name(comparison.right.engine)
    for error in comparison.evidence.errors[:_ERRORS]:
        yield (
            f"By one method the standard error of {name(error.quantity, 60)} is {number(error.at_left)} at the optimum"
            f" of {left} and {number(error.at_right)} at that of {right}, which says {number(error.said)}."
        )
    rest = len(comparison.evidence.errors) - _ERRORS
    if rest > 0:
        yield f"{counted(rest, 'more standard error was', 'more standard errors were')} computed again."


def permutation_text(comparison: Comparison) -> str:
    """Return how the classes of the two engines were matched, or an empty text where there are none."""
    pairs = sorted(comparison.permutation.items(), key=lambda pair: pair[1])
    if not pairs:
        return ""
    left, right = name(comparison.left.engine), name(comparison.right.engine)
    if all(theirs == ours for theirs, ours in pairs):
        return f"Classes of {right} carry the same numbers as those of {left}."
    matched = ", ".join(f"{theirs} is {ours}" for theirs, ours in pairs)
    return f"Classes of {right} in the numbers of {left}: {matched}."
