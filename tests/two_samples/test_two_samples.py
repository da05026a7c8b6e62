"""Rates and means of two groups: the numbers of R for any counts, and refusals of rows that allow none.

That they are R's numbers is compared in the cases `two_rates__*`; here live, for random counts, and against
harness.rates, which has its own tests.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from harness.cases import Case, read_model
from harness.cohorts import cohort_from_frame
from harness.comparison.verdict import Outcome
from harness.crosscheck import References, compare_with
from harness.engines import OurTwoSamples, solve
from harness.errors import CaseError, SpecError
from harness.rates import Proportion, risk_difference
from harness.references.session import live_engines
from harness.two_samples.means import means_of_two
from harness.two_samples.rates import rates_of_two
from harness.two_samples.spec import MeansSpec, RatesSpec

RATES = RatesSpec(events="events", total="n", by="group")


def counts(reference, other):
    frame = pd.DataFrame(
        {"row": ["a", "b"], "group": ["1", "2"], "events": [reference[0], other[0]], "n": [reference[1], other[1]]}
    )
    return cohort_from_frame(frame, subject="row", factors=("group",))


def patients(events, group, **columns):
    frame = pd.DataFrame({"row": np.arange(len(events)), "events": events, "group": group, **columns})
    return cohort_from_frame(frame, subject="row", factors=("group",))


def test_the_second_level_is_compared_with_the_first():
    found = rates_of_two(RATES, counts((22, 84), (37, 105))).numbers
    expected = risk_difference(Proportion(events=37, n=105), Proportion(events=22, n=84))
    assert found["difference.estimate"] == expected.estimate
    assert (found["events[1]"], found["total[2]"]) == (22, 105)


def test_rows_of_patients_and_counts_of_them_are_the_same():
    events = [1] * 5 + [0] * 7 + [1] * 3 + [0] * 9
    group = ["1"] * 12 + ["2"] * 12
    by_patient = rates_of_two(RatesSpec(events="events", by="group"), patients(events, group)).numbers
    assert by_patient == rates_of_two(RATES, counts((5, 12), (3, 12))).numbers


def test_undefined_numbers_are_not_there():
    paths = {quantity.path for quantity in rates_of_two(RATES, counts((0, 30), (7, 31))).quantities}
    assert "ratio.lower" not in paths
    assert "ratio.estimate" not in paths
    assert {"difference.below", "fisher.p_value", "rate[1].upper"} <= paths


def test_patients_without_a_covariate_leave_the_adjusted_difference_only():
    rng = np.random.default_rng(4)
    events, group, z = rng.integers(0, 2, 60), np.where(np.arange(60) % 2, "2", "1"), rng.normal(size=60)
    spec = RatesSpec(events="events", by="group", covariates=("z",))
    whole = rates_of_two(spec, patients(events, group, z=z)).numbers
    gaps = rates_of_two(spec, patients(events, group, z=np.where(np.arange(60) < 8, np.nan, z))).numbers
    fewer = rates_of_two(spec, patients(events[8:], group[8:], z=z[8:])).numbers
    assert gaps["difference.estimate"] == whole["difference.estimate"]
    assert gaps["adjusted_difference.estimate"] == fewer["adjusted_difference.estimate"]


@pytest.mark.parametrize(
    ("spec", "cohort", "said"),
    [
        (RatesSpec(events="event", by="group"), counts((1, 2), (1, 2)), "no column 'event'"),
        (RatesSpec(events="events", by="n"), counts((1, 2), (1, 2)), "no column 'n'"),
        (RATES, counts((3, 2), (1, 2)), "no counts"),
        (RATES, counts((0.5, 2), (1, 2)), "no counts"),
        (
            RatesSpec(events="events", total="n", by="group", covariates=("n",)),
            counts((1, 2), (1, 2)),
            "one row a patient",
        ),
        (RATES, counts((np.nan, 2), (1, 2)), "1 levels of 'group'"),
        (MeansSpec(outcome="group"), counts((1, 2), (1, 2)), "no column 'group'"),
        (MeansSpec(outcome="n", by="row"), patients([0, 1, 0], ["a", "b", "c"], n=[1, 2, 3]), "3 levels of 'row'"),
    ],
)
def test_rows_that_allow_no_answer_are_refused(spec, cohort, said):
    with pytest.raises(SpecError) as refusal:
        solve(Case(name="x", cohort=cohort, spec=spec, references=("rates",)))
    assert said in str(refusal.value)


@pytest.mark.parametrize("kind", ["rates", "means"])
def test_rates_and_means_are_no_models_of_a_claim(kind):
    model = {"kind": kind} | ({"events": "e", "by": "g"} if kind == "rates" else {"outcome": "y"})
    with pytest.raises(CaseError, match="a comparison of two groups"):
        read_model(model, "claims")


@pytest.fixture(scope="module")
def live():
    with live_engines() as engines:
        yield SimpleNamespace(engines=engines)


def compared(live, name, case):
    return compare_with(solve(case), name, References(live=live.engines))


@pytest.mark.needs_r("rates")
def test_any_counts_have_the_numbers_of_r(live):
    rng = np.random.default_rng(20)
    for _ in range(40):
        n = rng.integers(1, 400, 2)
        share = rng.choice([0.0, 0.02, 0.3, 0.98, 1.0], 2)
        events = rng.binomial(n, share)
        cohort = counts((events[0], n[0]), (events[1], n[1]))
        found = compared(live, "rates", Case(name="x", cohort=cohort, spec=RATES, references=("rates",)))
        assert found.outcome is Outcome.AGREE, (events, n, found.sentence)


@pytest.mark.needs_r("rates")
def test_adjusted_differences_and_means_are_those_of_r(live):
    rng = np.random.default_rng(21)
    for _ in range(10):
        n = 80
        group, z = np.where(rng.random(n) < 0.4, "2", "1"), rng.normal(30, 6, (2, n))
        events = rng.random(n) < 1 / (1 + np.exp(-(z[0] - 30) / 6))
        cohort = patients(events.astype(int), group, a=z[0], b=np.where(rng.random(n) < 0.1, np.nan, z[1]))
        rates = RatesSpec(events="events", by="group", covariates=("a", "b"))
        for name, spec in (
            ("rates", rates),
            ("rates", RatesSpec(events="events")),
            ("means", MeansSpec(outcome="b", by="group")),
            ("means", MeansSpec(outcome="a")),
        ):
            found = compared(live, name, Case(name="x", cohort=cohort, spec=spec, references=(name,)))
            assert found.outcome is Outcome.AGREE, found.sentence
            assert found.verdicts


@pytest.mark.needs_r("rates")
def test_a_wrong_interval_is_seen(live):
    case = Case(name="x", cohort=counts((22, 84), (37, 105)), spec=RATES, references=("rates",))
    ours = rates_of_two(RATES, case.cohort)
    ours.numbers["difference.upper"] += 1e-6
    side = OurTwoSamples(case=case, result=ours, seconds=None)
    found = compare_with(side, "rates", References(live=live.engines))
    assert found.outcome is Outcome.DISAGREE
    assert [v.quantity for v in found.verdicts if v.outcome is Outcome.DISAGREE] == [
        "difference.above",
        "difference.standard_error",
    ]


def test_a_mean_needs_no_groups():
    cohort = patients([0, 0, 0], ["a", "a", "a"], y=[1.0, 2.0, np.nan])
    numbers = means_of_two(MeansSpec(outcome="y"), cohort).numbers
    assert (numbers["n[all]"], numbers["mean[all].estimate"]) == (2, 1.5)
