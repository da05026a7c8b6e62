"""Everything that was measured between two engines on one case, as text."""

from collections.abc import Iterator

from harness.comparison.verdict import Comparison, Ruling, Verdict
from harness.reports.ranking import worst_first
from harness.reports.words import number, sentence, visible


def render(comparison: Comparison, quantity: str | None = None) -> str:
    """Return the cause, the evidence and every verdict, the nearest to its limit first; or that of one quantity."""
    return "\n".join(_lines(comparison, quantity))


def _lines(comparison: Comparison, quantity: str | None) -> Iterator[str]:
    yield f"{visible(comparison.case)}: {visible(comparison.left.engine)} against {visible(comparison.right.engine)}"
    yield f"  outcome: {comparison.outcome.value}"
    if comparison.attribution is not None:
        yield f"  cause: {comparison.attribution.value}. {sentence(comparison.sentence)}"
        yield f"  next step: {sentence(comparison.next_step)}"
    for reading in (comparison.left, comparison.right):
        if reading.convergence is not None:
            stop = reading.convergence
            yield f"  {reading.engine}: {stop.stop.value}. {sentence(stop.message)}"
        for text in (*reading.conventions, *reading.warnings):
            yield f"  {reading.engine}: {sentence(text)}"
    yield from _measured(comparison)
    for verdict in worst_first(comparison.verdicts):
        if quantity in {None, verdict.quantity}:
            yield f"  {_verdict(verdict)}"


def _measured(comparison: Comparison) -> Iterator[str]:
    evidence = comparison.evidence
    for pair in evidence.objectives:
        difference = number(pair.left - pair.right, 3)
        yield f"  log-likelihood at {visible(pair.label)}: {pair.left!r} and {pair.right!r}, difference {difference}"
    if evidence.gradient_at_right is not None:
        yield f"  gradient at the estimates of {comparison.right.engine}: {number(evidence.gradient_at_right, 3)} SE"
    if evidence.restart is not None:
        yield f"  restart of {evidence.restart.engine}: reached {evidence.restart.log_likelihood!r}"
    if comparison.right.evidence is not None and comparison.right.evidence.echo_is_exact is not None:
        exact = "bit for bit" if comparison.right.evidence.echo_is_exact else "changed"
        yield f"  echo of the columns from {comparison.right.engine}: {exact}"
    for error in evidence.errors:
        by = f"{error.at_left!r} at our optimum, {error.at_right!r} at that of {comparison.right.engine}"
        yield f"  {visible(error.quantity)} by our method: {by}, which says {error.said!r}"
    if evidence.flat is not None:
        moving = ", ".join(f"{weight:+.3f} {visible(name)}" for name, weight in evidence.flat.weights.items())
        yield f"  flattest direction: {moving}; information {number(evidence.flat.information, 3)}"
    if evidence.adjudication is not None:
        for ruling in evidence.adjudication.rulings:
            yield f"  referee at {visible(ruling.label)}: {ruling.exact!r}{_errors(comparison, ruling)}"


def _errors(comparison: Comparison, ruling: Ruling) -> str:
    sides = ((comparison.left.engine, ruling.left_error), (comparison.right.engine, ruling.right_error))
    return "".join(f"; {engine} is off by {number(error, 3)}" for engine, error in sides if error is not None)


def _verdict(verdict: Verdict) -> str:
    values = f"{verdict.left_value!r} and {verdict.right_value!r}"
    if verdict.observed is None:
        return f"{verdict.outcome.value}: {visible(verdict.quantity)}: {values}. {sentence(verdict.reason)}"
    observed, limit = number(verdict.observed, 3), number(verdict.limit, 3)
    judged = f"{observed} of at most {limit} {visible(verdict.metric)} ({sentence(verdict.basis)})"
    return (
        f"{verdict.outcome.value}: {visible(verdict.quantity)}: {values}; {judged}. {sentence(verdict.reason)}".rstrip()
    )
