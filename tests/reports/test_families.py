"""Groups of quantities and their digits: each path falls where a reader looks for it."""

import math
from dataclasses import replace

import pytest

from harness.comparison.verdict import Outcome
from harness.reports.families import Family, digits_of, family_of, standings


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("input.design[week]", Family.DATA),
        ("n_subjects", Family.DATA),
        ("events[placebo]", Family.DATA),
        ("objective[probe 1]", Family.LIKELIHOOD),
        ("log_likelihood", Family.LIKELIHOOD),
        ("bic_subjects.penalty", Family.CRITERIA),
        ("n_parameters", Family.CRITERIA),
        ("fixed[week].estimate", Family.COEFFICIENTS),
        ("class[2].beta[week^2].estimate", Family.COEFFICIENTS),
        ("optimum.distance", Family.COEFFICIENTS),
        ("fixed[week].standard_error", Family.ERRORS),
        ("class[1].share.standard_error", Family.ERRORS),
        ("fixed.correlation[week,intercept]", Family.COVARIANCE),
        ("optimum.covariance", Family.COVARIANCE),
        ("random.covariance[week,week]", Family.VARIANCES),
        ("random.var(week).estimate", Family.VARIANCES),
        ("class[1].sigma.estimate", Family.VARIANCES),
        ("class[1].share.estimate", Family.SHARES),
        ("class[1].posterior[X01]", Family.POSTERIORS),
        ("entropy", Family.POSTERIORS),
        ("mode[1,intercept].variance", Family.MODES),
        ("satterthwaite.fixed[week].df", Family.TESTS),
        ("kenward-roger.means[a].lower.standard_error", Family.TESTS),
        ("CR2.fixed[week].p_value", Family.TESTS),
        ("conditional_odds_ratio.lower", Family.RATES),
        ("standardised_difference.standard_error", Family.RATES),
        ("something.new", Family.OTHER),
    ],
)
def test_a_path_is_in_its_family(path, family):
    assert family_of(path) is family


@pytest.mark.parametrize(
    ("observed", "digits"), [(0.0, math.inf), (1e-5, 5.0), (0.02, 1.69897), (7.0, 0.0), (1e-300, 16.0), (math.nan, 0.0)]
)
def test_digits_are_decimals_in_the_unit_of_the_limit(sample_runs, observed, digits):
    verdict = replace(sample_runs["mixed"].comparisons[0].verdicts[1], observed=observed)
    assert digits_of(verdict) == pytest.approx(digits, abs=1e-5)


def test_what_was_not_compared_has_no_digits(sample_runs):
    verdict = replace(sample_runs["mixed"].comparisons[0].verdicts[1], outcome=Outcome.NOT_COMPARED)
    assert digits_of(verdict) is None
    assert standings([verdict])[Family.COEFFICIENTS].outcome is Outcome.NOT_COMPARED


def test_the_worst_of_a_family_decides(sample_runs):
    _, first, second, *_ = sample_runs["mixed"].comparisons[0].verdicts
    near, far = replace(first, observed=1e-9), replace(second, observed=0.5, outcome=Outcome.DISAGREE)
    found = standings([near, far])[Family.COEFFICIENTS]
    assert (found.outcome, found.worst, found.count) == (Outcome.DISAGREE, far, 2)
    assert found.digits == pytest.approx(0.30103, abs=1e-5)
