import numpy as np
import pytest

from harness.gbtm.design import input_evidence


def test_rows_without_outcome_and_subjects_without_any_are_dropped_and_counted(design_of, cohort_of):
    cohort = cohort_of(["c", "a", "b", "a", "c", "d"], [1, 2, 1, 1, np.nan, 3], [5.0, 2.0, np.nan, 1.0, np.nan, 7.0])
    design = design_of(orders=(1,), cohort=cohort)
    rows = design.outcomes[0].rows
    assert design.subject_labels == ("sa", "sc", "sd")
    assert rows.y.tolist() == [1.0, 2.0, 5.0, 7.0]
    assert rows.panel.starts.tolist() == [0, 2, 3]
    assert rows.cohort_row.tolist() == [3, 1, 0, 5]
    assert (design.subjects.dropped_rows, design.subjects.dropped) == (2, ("sb",))
    evidence = input_evidence(design)
    assert (evidence.n_observations, evidence.n_subjects, evidence.outcome_sum) == (4, 3, 15.0)
    assert evidence.design_sums == {"intercept": 4.0, "week": 7.0}


def test_evidence_of_the_input_sums_covariates_over_the_rows_used(design_of, trial):
    design = design_of(orders=(1, 0), cohort=trial, covariates="dose", common="sex")
    sums = input_evidence(design).design_sums
    male = trial.factors["sex"].levels.index("male")
    assert sums["dose"] == pytest.approx(trial.numeric["dose"].sum(), rel=1e-14)
    assert sums["sex[male]"] == np.sum(trial.factors["sex"].codes == male)


def test_parameters_come_as_the_spec_documents_them(design_of, trial):
    design = design_of((2, 0), "class", trial, covariates="dose", common="stress", membership="sex + age")
    named = [(p.role, p.name, p.latent_class) for p in design.mixture.parameters]
    assert named == [
        ("log_odds", "intercept", 1),
        ("log_odds", "sex[male]", 1),
        ("log_odds", "age", 1),
        ("beta", "intercept", 1),
        ("beta", "week", 1),
        ("beta", "week^2", 1),
        ("beta", "dose", 1),
        ("beta", "intercept", 2),
        ("beta", "dose", 2),
        ("common", "stress", 0),
        ("sigma", "sigma", 1),
        ("sigma", "sigma", 2),
    ]


def test_log_odds_come_risk_factor_by_risk_factor(design_of, trial):
    parameters = design_of((0, 0, 0), "shared", trial, membership="age").mixture.parameters
    named = [(p.name, p.latent_class) for p in parameters if p.role == "log_odds"]
    assert named == [("intercept", 1), ("intercept", 2), ("age", 1), ("age", 2)]


def test_weights_have_the_mean_one_over_subjects(design_of, trial):
    weights = design_of(cohort=trial, weights="sampling").mixture.weights
    first = [np.flatnonzero(trial.subjects.codes == i)[0] for i in range(trial.n_subjects)]
    given = trial.numeric["sampling"][first]
    np.testing.assert_allclose(weights, given / given.mean(), rtol=1e-14)


def test_missing_covariates_do_not_matter_in_rows_without_an_outcome(design_of, cohort_of):
    given = (["a", "a", "b", "b"], [1, 2, 1, 2], [3.0, np.nan, 5.0, 7.5])
    design = design_of(orders=(0,), cohort=cohort_of(*given, dose=[1.0, np.nan, 2.0, 4.0]), common="dose")
    assert design.outcomes[0].rows.common.values[:, 0].tolist() == [1.0, 2.0, 4.0]


def test_a_factor_is_coded_against_the_first_level_that_occurs(design_of, cohort_of):
    given = ([*"abcdef"], [1, 2, 1, 2, 1, 3], [np.nan, 2.0, 5.0, 7.5, 1.0, 3.0])
    design = design_of(orders=(0,), cohort=cohort_of(*given, arm=[*"xyzyzy"]), common="arm")
    assert design.outcomes[0].rows.common.names == ("arm[z]",)


def test_without_time_every_class_is_constant(design_of, trial):
    timed, untimed = (design_of((0, 0), "class", trial, time=time) for time in ("week", None))
    vectors = np.random.default_rng(1).normal(0, 0.5, (2, timed.n_parameters))
    for left, right in zip(timed.mixture.densities, untimed.mixture.densities, strict=True):
        own = vectors[:, timed.mixture.parts[0]]
        np.testing.assert_allclose(left.log_density(own), right.log_density(own), rtol=1e-12)


def test_another_outcome_for_the_same_rows_is_another_design_of_the_same_model(design_of, trial):
    design = design_of((1, 1), "shared", trial, weights="sampling", membership="age")
    y = np.random.default_rng(2).normal(5, 2, design.n_observations)
    other = design.with_outcomes((y,))
    np.testing.assert_array_equal(other.outcomes[0].rows.y, y)
    assert other.subject_labels == design.subject_labels
    np.testing.assert_array_equal(other.mixture.weights, design.mixture.weights)
    response = other.outcomes[0].response
    np.testing.assert_allclose(response.X @ response.pooled + response.scale * response.y, y, rtol=1e-12)


def test_arrays_of_a_design_cannot_be_written(design_of):
    design = design_of()
    outcome, mixture = design.outcomes[0], design.mixture
    density = mixture.densities[0]
    for arrays in (
        (outcome.rows.y, outcome.rows.time, outcome.rows.offset, outcome.rows.cohort_row, outcome.rows.panel.starts),
        (outcome.response.X, outcome.response.y, outcome.response.T, outcome.response.index, outcome.response.pooled),
        (design.curves, design.means, mixture.weights, mixture.membership.W, mixture.membership.T),
        (density.n, density.yy, density.Xy, density.XX),
    ):
        for array in arrays:
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
