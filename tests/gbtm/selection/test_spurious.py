import numpy as np
import pytest

from harness.choosing import spurious_checks
from harness.errors import SpecError
from harness.gbtm.panel import panel_of
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.selection.residuals import class_means, residual_moments

WEEK = np.arange(5.0)


def standing_out(checks):
    table = checks.table()
    return set(table.loc[table["stands_out"], "check"])


def test_moments_of_residuals_are_those_of_loops():
    stream = np.random.default_rng(2)
    panel = panel_of(np.repeat(np.arange(4), [3, 1, 4, 2]), 4)
    residuals, posterior = stream.standard_normal((2, 10)), stream.dirichlet((1, 1), 4).T
    found = residual_moments(residuals, posterior, panel)
    z = np.empty_like(residuals)
    for g in range(2):
        w = [posterior[g, i] for i in panel.subject]
        mean = sum(a * r for a, r in zip(w, residuals[g], strict=True)) / sum(w)
        variance = sum(a * (r - mean) ** 2 for a, r in zip(w, residuals[g], strict=True)) / sum(w)
        z[g] = (residuals[g] - mean) / variance**0.5
    sums = np.zeros((2, 4, 2))  # class; statistic; numerator, denominator
    for g in range(2):
        for j, i in enumerate(panel.subject):
            w = posterior[g, i]
            sums[g, 0] += w * z[g, j] ** 3, w
            sums[g, 1] += w * z[g, j] ** 4, w
            for k in range(10):
                if k != j and panel.subject[k] == i:
                    sums[g, 3] += w * z[g, j] * z[g, k], w
                    if k == j + 1:
                        sums[g, 2] += w * z[g, j] * z[g, k], w
    sums = np.concatenate([sums, sums.sum(axis=0)[None]])
    by_hand = sums[..., 0] / sums[..., 1]
    assert found.skewness == pytest.approx(by_hand[:, 0])
    assert found.excess_kurtosis == pytest.approx(by_hand[:, 1] - 3)
    assert found.lag_one == pytest.approx(by_hand[:, 2])
    assert found.within_subject == pytest.approx(by_hand[:, 3])


def test_class_means_are_the_curves_in_the_users_units(fits):
    result = fits[2]
    means = class_means(result.fit.vector, result.design.mixture_of(result.fit.class_kinds), result.design)
    time = result.design.outcomes[0].rows.time
    assert means == pytest.approx(np.array([b[0] + b[1] * time for b in result.beta]))


def test_nothing_of_the_residuals_stands_out_where_the_model_is_true(fits):
    assert standing_out(spurious_checks(fits[2])) == set()


def test_correlation_within_subjects_stands_out_and_random_effects_are_named(one_continuum, spec_of):
    result = fit_gbtm_cohort(spec_of((1, 1)), one_continuum)
    rival = fit_gbtm_cohort(spec_of((1,), random=1), one_continuum)
    checks = spurious_checks(result, rival)
    assert {"intraclass correlation", "lag-1 correlation"} <= standing_out(checks)
    assert "BIC of a mixed model less this one's" in standing_out(checks)
    assert "random effects" in checks.summary()
    assert "The data do not need so many classes." in checks.summary()


def test_a_skewed_outcome_stands_out_about_one_curve_and_within_classes(make_panel, spec_of):
    y = np.exp(np.random.default_rng(4).standard_normal((60, 5)))
    one = spurious_checks(fit_gbtm_cohort(spec_of((0,)), make_panel(y, 5)))
    assert {"skewness", "skewness about one curve"} <= standing_out(one)
    assert "classes can arise from that alone" in one.summary()


def test_a_floor_stands_out(make_panel, spec_of):
    y = np.maximum(np.random.default_rng(5).standard_normal((60, 5)) * 4 + 3 - WEEK, 0.0)
    checks = spurious_checks(fit_gbtm_cohort(spec_of((1,)), make_panel(y, 5)))
    assert "share at the floor" in standing_out(checks)


def test_no_verdict_says_that_classes_are_real(fits):
    text = str(spurious_checks(fits[2], draws=20).summary())
    assert "none of them can show that classes are real" in text
    assert "valid" not in text
    assert "Not compared with 1 class and a random intercept" in text


def test_a_rival_of_other_data_is_refused(fits, one_continuum, spec_of):
    other = fit_gbtm_cohort(spec_of((1,), random=0), one_continuum)
    with pytest.raises(SpecError, match="other rows or outcomes"):
        spurious_checks(fits[2], other)
    with pytest.raises(SpecError, match="draws 0"):
        spurious_checks(fits[2], draws=0)
