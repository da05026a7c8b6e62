"""Verdicts on what belongs to no single quantity: both objectives, the distance of the optima, the input."""

from collections.abc import Iterator
from math import isnan

from harness.comparison.optimum import covariance_difference, distance_between, marginal_errors
from harness.comparison.rules import Difference, judge_pair, relative, unjudged, verdict
from harness.comparison.tolerances import Measure
from harness.comparison.verdict import CrossEvidence, Outcome, Verdict
from harness.comparison.yardstick import LOG_LIKELIHOOD, Yardstick, number
from harness.quantities import InputEvidence, Kind, Quantity, Reading

INPUT = "input."
DESIGN = f"{INPUT}design["
ECHO = f"{INPUT}echo"
DISTANCE = "optimum.distance"
COVARIANCE = "optimum.covariance"


def judge_objectives(evidence: CrossEvidence, scales: Yardstick) -> Iterator[Verdict]:
    """Yield a verdict for each point at which both engines evaluated their log-likelihood."""
    for pair in evidence.objectives:
        path = f"objective[{pair.label}]"
        left, right = (Quantity(path=path, kind=Kind.OBJECTIVE, value=value) for value in (pair.left, pair.right))
        yield judge_pair(left, right, scales)


def judge_distance(left: Reading, right: Reading, scales: Yardstick) -> Iterator[Verdict]:
    """Yield the joint verdict on all OPTIMUM quantities; where D has no meaning the log-likelihood gap decides."""
    ours, theirs = _estimates(left), _estimates(right)
    if scales.covariance is None:
        if LOG_LIKELIHOOD in ours and LOG_LIKELIHOOD in theirs:
            a, b = ours[LOG_LIKELIHOOD], theirs[LOG_LIKELIHOOD]
            gap = Difference(metric="log-likelihood gap in place of D", observed=abs(a - b), tolerance=scales.gap_limit)
            yield verdict(DISTANCE, Kind.OPTIMUM, (a, b), gap, reason=f"D has no meaning here: {scales.irregular}")
        return
    shared = ours.keys() & theirs.keys() & set(scales.covariance.paths)
    if not shared:
        reason = "no estimate with a covariance is given by both"
        yield unjudged(DISTANCE, None, None, Outcome.NOT_COMPARED, reason, kind=Kind.OPTIMUM)
        return
    observed = distance_between(ours, theirs, scales.covariance)
    difference = Difference(metric=Measure.DISTANCE, observed=observed, tolerance=scales.tolerance(Measure.DISTANCE))
    reason = "an estimate is no number, or the covariance of the estimates is none" if isnan(observed) else ""
    yield verdict(DISTANCE, Kind.OPTIMUM, (None, None), difference, reason=reason)


def judge_covariance(left: Reading, right: Reading, scales: Yardstick) -> Iterator[Verdict]:
    """Yield a verdict on the joint covariance of the estimates, if an engine gives it."""
    for reading in (left, right):
        contradiction = _contradiction(reading)
        if contradiction:
            yield unjudged(COVARIANCE, None, None, Outcome.DISAGREE, contradiction, kind=Kind.CURVATURE)
            return
    if left.covariance is None and right.covariance is None:
        return
    if left.covariance is None or right.covariance is None:
        silent = left if left.covariance is None else right
        # lcmm gives one, but a pin holds single values only.
        who = f"a pin of {silent.engine} holds" if silent.source == "pinned" else f"{silent.engine} gives"
        reason = f"{who} no joint covariance of its estimates"
        yield unjudged(COVARIANCE, None, None, Outcome.NOT_COMPARED, reason, kind=Kind.CURVATURE)
        return
    observed = covariance_difference(left.covariance, right.covariance)
    difference = Difference(
        metric=Measure.COVARIANCE, observed=observed, tolerance=scales.tolerance(Measure.COVARIANCE)
    )
    yield verdict(COVARIANCE, Kind.CURVATURE, (None, None), difference)


def judge_input(left: Reading, right: Reading, scales: Yardstick) -> Iterator[Verdict]:
    """Yield verdicts on what both engines say they were given."""
    if left.evidence is None or right.evidence is None:
        silent = left.engine if left.evidence is None else right.engine
        reason = f"{silent} gives no evidence of its input"
        yield unjudged(f"{INPUT}evidence", None, None, Outcome.NOT_COMPARED, reason, kind=Kind.EXACT)
        return
    ours, theirs = _sums(left.evidence), _sums(right.evidence)
    for a, b in zip(_counts(left.evidence), _counts(right.evidence), strict=True):
        yield judge_pair(a, b, scales)
    yield from _echo(right, scales)
    base = scales.tolerance(Measure.INPUT_SUM)
    for path in dict.fromkeys((*ours, *theirs)):
        mine, yours = ours.get(path), theirs.get(path)
        if mine is None or yours is None:
            silent = left.engine if mine is None else right.engine
            yield unjudged(path, mine, yours, Outcome.DISAGREE, f"{silent} has no such column")
            continue
        # A centred column sums to nothing but rounding; n is the least that n values of order one add up to.
        floor = float(left.evidence.n_observations)
        apart = relative(number(mine.value), number(yours.value), floor)
        difference = Difference(metric=Measure.INPUT_SUM, observed=apart, tolerance=base)
        yield verdict(path, Kind.ALGEBRAIC, (mine.value, yours.value), difference)


def _echo(right: Reading, scales: Yardstick) -> Iterator[Verdict]:
    """Yield the verdict on what came back from the right engine, where it was asked to send it back."""
    if right.evidence is None or right.evidence.echo_is_exact is None:
        return
    sent, back = (Quantity(path=ECHO, kind=Kind.EXACT, value=value) for value in (True, right.evidence.echo_is_exact))
    yield judge_pair(sent, back, scales)


def _contradiction(reading: Reading) -> str:
    """Say where a joint covariance contradicts the standard errors of the same reading; empty if nowhere."""
    joint = marginal_errors(reading.covariance)
    for quantity in reading.quantities:
        error = quantity.standard_error
        if quantity.path in joint and error is not None and not relative(joint[quantity.path], error) <= 1e-9:
            return (
                f"{reading.engine} contradicts itself at {quantity.path}: standard error {error:.6g},"
                f" {joint[quantity.path]:.6g} by its covariance"
            )
    return ""


def _estimates(reading: Reading) -> dict[str, float]:
    return {q.path: number(q.value) for q in reading.quantities if q.kind is Kind.OPTIMUM}


def _counts(evidence: InputEvidence) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(path=f"{INPUT}{name}", kind=Kind.EXACT, value=value)
        for name, value in (("n_observations", evidence.n_observations), ("n_subjects", evidence.n_subjects))
    )


def _sums(evidence: InputEvidence) -> dict[str, Quantity]:
    sums = {f"{INPUT}outcome_sum": evidence.outcome_sum}
    sums |= {f"{DESIGN}{name}]": value for name, value in evidence.design_sums.items()}
    return {path: Quantity(path=path, kind=Kind.ALGEBRAIC, value=value) for path, value in sums.items()}
