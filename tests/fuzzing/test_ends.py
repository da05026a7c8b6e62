"""Which of two ends of a mixture is higher, whether data tell them apart, and where R's log-likelihood is rounded."""

from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.verdict import Comparison, CrossEvidence, ObjectivePair, Outcome, Verdict
from harness.counterexamples.specimen import Specimen
from harness.engines import solve
from harness.fuzzing.ends import equally_high, higher_by_its_own_word, rests_on_one_subject
from harness.fuzzing.flexmix_limits import without_cut_points
from harness.quantities import Kind, Quantity, Reading

MODEL = {"kind": "gbtm", "outcome": "y", "time": "t", "subject": "id", "n_starts": 4}


def solved(labels, t, y, **model):
    """Return our fit of the rows."""
    specimen = Specimen(
        subject="id", time="t", numbers={"t": tuple(t), "y": tuple(y)}, labels={"id": labels}, model=MODEL | model
    )
    return solve(specimen.case("fuzzed", ("flexmix",)))


def said(engine, log_likelihood, **values):
    """Return a reading of this log-likelihood, and of quantities by their paths with dots for underscores."""
    quantities = [Quantity(path="log_likelihood", value=log_likelihood, kind=Kind.OPTIMUM)]
    quantities += [Quantity(path=path, value=value, kind=Kind.OPTIMUM) for path, value in values.items()]
    return Reading(engine=engine, source="live", versions={}, quantities=tuple(quantities))


def verdict(quantity, kind=Kind.OPTIMUM):
    """Return that a quantity disagrees."""
    return Verdict(
        quantity=quantity,
        kind=kind,
        left_value=1.0,
        right_value=2.0,
        metric="",
        observed=1.0,
        limit=0.0,
        basis="",
        digits=None,
        outcome=Outcome.DISAGREE,
    )


def compared(left, right, at_ours=(0.0, 0.0), at_theirs=(0.0, 0.0), verdicts=()):
    """Return a comparison of two readings that disagree, with both log-likelihoods at both ends."""
    pairs = (
        ObjectivePair(label="our optimum", point=(0.0,), left=at_ours[0], right=at_ours[1]),
        ObjectivePair(label="optimum", point=(1.0,), left=at_theirs[0], right=at_theirs[1]),
    )
    return Comparison(
        case="fuzzed",
        left=left,
        right=right,
        evidence=CrossEvidence(objectives=pairs),
        verdicts=tuple(verdicts),
        outcome=Outcome.DISAGREE,
    )


@pytest.mark.parametrize(
    ("at_ours", "is_higher"), [((-10.0, -10.0), True), ((-12.0, -12.0), False), ((-10.0, -10.1), False)]
)
def test_ours_is_higher_if_the_reference_says_so_too(at_ours, is_higher):
    found = compared(said("harness", at_ours[0]), said("flexmix", -12.0), at_ours=at_ours)
    assert bool(higher_by_its_own_word(found, 1e-6)) is is_higher


@pytest.mark.parametrize(
    ("right", "at_theirs", "differs", "is_equal"),
    [
        (-10.0, (-10.0, -10.0), verdict("class[1].beta[t].estimate"), True),
        (-10.001, (-10.001, -10.001), verdict("class[1].beta[t].estimate"), False),
        (-10.0, (-10.0, -10.1), verdict("class[1].beta[t].estimate"), False),
        (-10.0, (-10.0, -10.0), verdict("class[1].posterior[s1]", Kind.POSTERIOR), False),
    ],
)
def test_ends_are_equally_high_only_where_their_parameters_differ(right, at_theirs, differs, is_equal):
    """A posterior that differs at equal parameters is another matter, such as swapped classes."""
    found = compared(said("harness", -10.0), said("flexmix", right), (-10.0, -10.0), at_theirs, [differs])
    assert bool(equally_high(found)) is is_equal


@pytest.mark.parametrize(
    ("sigma", "share", "is_spurious"), [("class", 0.1, True), ("class", 0.2, False), ("shared", 0.1, False)]
)
def test_a_class_of_one_subject_with_its_own_sigma_is_spurious(sigma, share, is_spurious):
    rng = np.random.default_rng(3)
    labels = tuple(f"s{k // 3}" for k in range(30))
    y = rng.normal(size=30) + 5 * (np.arange(30) // 15)
    ours = solved(labels, (0.0, 1.0, 2.0) * 10, y.tolist(), orders=[0, 0], family="gaussian", sigma=sigma)
    values = {"class[1].share.estimate": share, "class[2].share.estimate": 1 - share, "class[1].sigma.estimate": 1e-3}
    found = compared(said("harness", -10.0), said("flexmix", -9.0, **values))
    assert bool(rests_on_one_subject(ours, found)) is is_spurious


class Flexmix:
    """An engine by name."""

    name = "flexmix"


@pytest.mark.parametrize(("slope", "is_rounded"), [(1.0, False), (9.0, True)])
def test_points_where_one_minus_p_has_few_digits_are_left_out(slope, is_rounded):
    """At a predictor of 20, p = 1 - 2e-9 as a double leaves log(1 - p) eight digits, and at 3 it leaves them all."""
    labels = tuple(f"s{k // 3}" for k in range(30))
    y = [float(k % 5 in {0, 2}) for k in range(30)]
    ours = solved(labels, (0.0, 1.0, 2.0) * 10, y, orders=[1], family="logit")
    reading = ours.reading(against="flexmix")
    point = (2.0, slope)
    value = ours.log_likelihood(point)
    pair = ObjectivePair(label="probe 1", point=point, left=value, right=value - 1e-6)
    found = replace(
        compared(reading, replace(reading, engine="flexmix"), verdicts=[verdict("objective[probe 1]", Kind.OBJECTIVE)]),
        evidence=CrossEvidence(objectives=(pair,)),
    )
    assert (without_cut_points(ours, found, Flexmix()) is not None) is is_rounded
