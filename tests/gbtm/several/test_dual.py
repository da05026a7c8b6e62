"""A class variable for each of two outcomes: against loops, the models alone, and a simulated truth."""

import numpy as np
import pytest

import harness
from harness.convergence import Stop
from harness.errors import SpecError
from harness.gbtm.design import build_design
from harness.gbtm.em import begin, m_step
from harness.gbtm.ends import ends_of
from harness.gbtm.fit import fit
from harness.gbtm.mixture import derivatives, e_step
from harness.gbtm.several.dual_design import build_dual_design
from harness.gbtm.several.dual_optima import canonical_pairs, falsely_empty, gains
from harness.gbtm.several.dual_result import fit_dual_cohort
from harness.gbtm.several.dual_search import fit_dual, refilled
from harness.gbtm.several.dual_starts import draw_products
from harness.gbtm.several.margins import joint_shares, margins
from harness.gbtm.several.outcome_model import OutcomeModel, specs_of

SCORE = OutcomeModel(outcome="score", orders=(1, 0, 1))
MOOD = OutcomeModel(outcome="mood", orders=(1, 1), sigma="class")
TWO = OutcomeModel(outcome="score", orders=(1, 1))


def specs(first, second, **settings):
    return specs_of((first, second), **{"time": "week", "subject": "id", "n_starts": 6, **settings})


def somewhere(design, seed=5, count=1):
    return np.random.default_rng(seed).normal(0, 0.4, (count, design.n_parameters))


def test_the_log_likelihood_is_that_of_loops_over_pairs_of_classes(panel, small_panel, dual_loops):
    for data in (panel, small_panel):
        design = build_dual_design(specs(SCORE, MOOD), data)
        vector = somewhere(design)
        exact = dual_loops(design)(*design.mixture.to_user(vector[0]))
        assert e_step(vector, design.mixture)[1][0] == pytest.approx(exact, rel=1e-12)


def test_score_and_information_are_the_derivatives_of_the_loops(small_panel, dual_loops, slopes_of_loops):
    design = build_dual_design(specs(SCORE, MOOD), small_panel)
    vector = somewhere(design)
    gradient, hessian = slopes_of_loops(dual_loops, design, vector[0])
    found = derivatives(vector, design.mixture)
    np.testing.assert_allclose(found.score[0], gradient, rtol=1e-7, atol=1e-10 * np.abs(gradient).max())
    np.testing.assert_allclose(-found.information[0], hessian, atol=1e-6 * np.abs(hessian).max())


def test_pairs_have_as_many_parameters_as_shares_and_conditional_probabilities(panel):
    design = build_dual_design(specs(SCORE, MOOD), panel)
    J, K = design.shape
    assert design.mixture.membership.n_free == (J - 1) + J * (K - 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_em_never_lowers_the_log_likelihood(panel, seed):
    design = build_dual_design(specs(SCORE, MOOD), panel)
    mixture = design.mixture
    posterior = draw_products(design, 10 * seed, 4).posterior
    vectors, before = begin(posterior, mixture), -np.inf
    for _ in range(30):
        posterior, reached = e_step(vectors, mixture)
        assert np.all(reached >= before - 1e-10 * np.abs(reached))  # rounding of a sum over subjects
        vectors, before = m_step(posterior, vectors, mixture), reached


def test_canonical_order_is_the_same_mixture_and_both_outcomes_rise(panel):
    design = build_dual_design(specs(SCORE, MOOD), panel)
    vectors = somewhere(design, count=5)
    _, reached = e_step(vectors, design.mixture)
    for vector, own, log_likelihood in zip(vectors, canonical_pairs(vectors, design), reached, strict=True):
        assert e_step(own.vector[None], own.mixture)[1][0] == pytest.approx(log_likelihood, rel=1e-13)
        assert sorted(np.exp(own.mixture.membership.log_shares(own.vector[None, :5]))[0, :, 0]) == pytest.approx(
            sorted(np.exp(design.mixture.membership.log_shares(vector[None, :5]))[0, :, 0])
        )
        for margin in margins(own.vector, own.mixture, design):
            levels = margin.mixture.densities[0].response.coefficients(margin.vector[None, margin.mixture.parts[0]])[
                0, :, 0
            ]
            assert list(levels) == sorted(levels)
        assert own.class_kinds == tuple((o, 0, 0) for m in (0, 1) for o in own.mixture.densities[m].response.orders)


def test_margins_are_the_shares_of_the_cells_with_their_slopes(panel):
    design = build_dual_design(specs(SCORE, MOOD), panel)
    vector = somewhere(design)[0]
    h = 1e-6

    def of(at):
        return [margin.vector for margin in margins(at, design.mixture, design)]

    joint = joint_shares(vector, design.mixture, design)
    for number, margin in enumerate(margins(vector, design.mixture, design)):
        membership = margin.mixture.membership
        shares = membership.shares(margin.vector[None, : membership.n_free], margin.mixture.weights)[0]
        np.testing.assert_allclose(shares, joint.sum(axis=1 - number), rtol=1e-12)
        numeric = [(of(vector + h * e)[number] - of(vector - h * e)[number]) / (2 * h) for e in np.eye(len(vector))]
        np.testing.assert_allclose(margin.jacobian, np.transpose(numeric), atol=1e-8)


def test_one_class_each_is_both_models_alone(panel):
    one, two = OutcomeModel(outcome="score", orders=(2,)), OutcomeModel(outcome="mood", orders=(1,))
    result = fit_dual_cohort(specs(one, two), panel)
    apart = [fit(build_design(spec, panel)) for spec in specs(one, two)]
    assert result.log_likelihood == pytest.approx(sum(own.log_likelihood for own in apart), abs=1e-9)
    assert result.joint == pytest.approx(np.ones((1, 1)))
    assert result.warnings == ()


def test_one_class_of_the_second_outcome_leaves_the_first_as_it_is_alone(panel):
    result = fit_dual_cohort(specs(TWO, OutcomeModel(outcome="mood", orders=(1,))), panel)
    alone = fit(build_design(specs(TWO, MOOD)[0], panel))
    np.testing.assert_allclose(result.class_shares[0], alone.best.class_shares, rtol=1e-6)
    np.testing.assert_allclose(result.estimates.first.point[1:], alone.point[1:], rtol=1e-6)
    np.testing.assert_allclose(result.second_given_first, 1.0)


def test_a_known_dependence_is_recovered(simulated, panel_of):
    truth = np.array([[0.40, 0.15], [0.05, 0.40]])
    subject, time, columns, _ = simulated(1200, 11, shares=truth, gaps=0.3, noise=3.0)
    result = fit_dual_cohort(specs(TWO, OutcomeModel(outcome="mood", orders=(1, 1))), panel_of(subject, time, columns))
    # By level, mood's classes run the other way: its lower class is its second one.
    truth = truth[:, ::-1]
    table = result.probabilities()
    expected = np.concatenate(
        [
            truth.sum(axis=1),
            truth.sum(axis=0),
            (truth / truth.sum(axis=1, keepdims=True)).ravel(),
            (truth / truth.sum(axis=0)).ravel(),
            truth.ravel(),
        ]
    )
    # Four standard errors each: sixteen such numbers are all inside but in one of a thousand seeds.
    assert np.all(np.abs(table["estimate"] - expected) < 4 * table["standard_error"])
    assert table["standard_error"].max() < 0.05
    assert result.independence().p < 1e-10
    assert result.fit.joint.convergence.stop == Stop.OPTIMUM


def test_independent_outcomes_have_the_product_of_their_shares(simulated, panel_of):
    truth = np.outer([0.6, 0.4], [0.3, 0.7])
    subject, time, columns, _ = simulated(800, 12, shares=truth, gaps=0.1)
    result = fit_dual_cohort(specs(TWO, OutcomeModel(outcome="mood", orders=(1, 1))), panel_of(subject, time, columns))
    product = np.outer(*result.class_shares)
    assert np.all(np.abs(result.joint - product) < 4 * result.estimates.joint.standard_error)
    test = result.independence()
    assert test.df == 1
    assert test.statistic == pytest.approx(2 * (result.log_likelihood - result.fit.independent_log_likelihood))
    assert 0 <= test.statistic < 15  # chi2 of one degree of freedom: exceeded in one of ten thousand seeds


def test_probabilities_are_consistent_and_their_errors_are_numeric_slopes(panel):
    result = fit_dual_cohort(specs(TWO, MOOD), panel)
    joint, estimates = result.joint, result.estimates
    np.testing.assert_allclose(joint.sum(), 1.0)
    np.testing.assert_allclose(result.second_given_first, joint / joint.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(result.first_given_second, joint / joint.sum(axis=0), rtol=1e-12)
    # Without risk factors, shares are mean posteriors at an optimum.
    np.testing.assert_allclose(joint, result.posterior.mean(axis=0), atol=1e-9)
    vector, mixture, h = result.fit.joint.vector, result.design.mixture_of(result.fit.joint.class_kinds), 1e-6

    def given(at):
        cells = joint_shares(at, mixture, result.design)
        return (cells / cells.sum(axis=1, keepdims=True)).ravel()

    slopes = np.array([(given(vector + h * e) - given(vector - h * e)) / (2 * h) for e in np.eye(len(vector))]).T
    errors = np.sqrt(np.diag(slopes @ np.linalg.inv(derivatives(vector[None], mixture).information[0]) @ slopes.T))
    np.testing.assert_allclose(estimates.second_given_first.standard_error.ravel(), errors, rtol=1e-6)


def test_outcomes_in_the_other_order_have_the_transposed_table(panel):
    one, two = fit_dual_cohort(specs(SCORE, MOOD), panel), fit_dual_cohort(specs(MOOD, SCORE), panel)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(two.joint.T, one.joint, atol=1e-6)
    np.testing.assert_allclose(two.estimates.second.point[2:], one.estimates.first.point[2:], rtol=1e-6, atol=1e-8)


def test_classes_that_exclude_each_other_are_a_boundary_and_not_an_empty_class(simulated, panel_of):
    # Mood's classes run the other way by level, so that the cells without subjects are (1, 1), or the reference (2, 2).
    for shares, cell in (([[0.4, 0.0], [0.2, 0.4]], (0, 1)), ([[0.4, 0.2], [0.4, 0.0]], (1, 1))):
        subject, time, columns, _ = simulated(150, 3, shares=np.array(shares)[:, ::-1], gaps=0.1)
        result = fit_dual_cohort(
            specs(TWO, OutcomeModel(outcome="mood", orders=(1, 1))), panel_of(subject, time, columns)
        )
        best = result.fit.joint.best
        assert best.convergence.stop == Stop.BOUNDARY
        assert (best.empty, best.duplicated) == ((), ())
        assert best.is_proper
        assert result.joint[cell] < 1e-6
        assert any(f"({cell[0] + 1}, {cell[1] + 1})" in note and "boundary" in note for note in result.warnings)
        error = result.estimates.joint.standard_error
        assert np.isnan(error[cell])
        others = np.ones((2, 2), dtype=bool)
        others[cell] = False
        # What is left is a multinomial of three cells, nearly observed: its errors can't be below those if observed.
        p = result.joint[others]
        assert np.all(error[others] >= np.sqrt(p * (1 - p) / 150) * (1 - 1e-6))
        assert np.all(error[others] < 1.2 * np.sqrt(p * (1 - p) / 150))
        vector = result.fit.joint.vector[None]
        slopes = gains(vector, result.design.mixture_of(result.fit.joint.class_kinds))[0].reshape(2, 2)
        np.testing.assert_allclose(slopes[others], 1.0, atol=1e-6)
        assert slopes[cell] < 1


def test_starts_do_not_depend_on_how_they_are_batched_and_have_no_empty_cell(panel):
    design = build_dual_design(specs(SCORE, MOOD, n_starts=12), panel)
    together = draw_products(design, 0, 12)
    apart = np.concatenate([draw_products(design, s, 1).posterior for s in range(12)])
    np.testing.assert_array_equal(together.posterior, apart)
    np.testing.assert_allclose(together.posterior.sum(axis=1), 1.0)
    assert together.posterior.min() > 0


def test_every_kind_of_start_of_one_outcome_meets_every_kind_of_the_other(panel):
    kinds = draw_products(build_dual_design(specs(TWO, MOOD), panel), 0, 36).kinds
    assert len(set(kinds)) == 5 * 5  # of the six kinds in turn, two are the same


def test_the_same_seed_gives_the_same_fit_and_an_account_of_every_start(panel):
    design = build_dual_design(specs(SCORE, MOOD), panel)
    one, two = fit_dual(design), fit_dual(design)
    assert one.joint.point == two.joint.point
    assert (
        sum(optimum.count for optimum in one.joint.optima) + np.sum(one.joint.starts.optimum < 0) == one.joint.n_starts
    )
    assert one.joint.log_likelihood >= one.independent_log_likelihood - 1e-8


def test_tables_count_both_class_variables(panel):
    result = harness.fit_dual_trajectory(
        panel,
        first=harness.outcome_model("score", (1, 0, 1)),
        second=harness.outcome_model("mood", (1, 1), sigma="class"),
        time="week",
        subject="id",
        n_starts=6,
    )
    assert len(result.probabilities()) == 3 + 2 + 3 * 6
    table = result.coefficients()
    assert table.groupby("outcome").size().to_dict() == {"score": 3 + 5 + 1, "mood": 2 + 4 + 2}
    assert result.adequacy().groupby("outcome").size().to_dict() == {"score": 3, "mood": 2}
    posteriors = result.posteriors()
    np.testing.assert_allclose(posteriors.filter(like="probability_").sum(axis=1), 1.0)
    curves = result.class_curves(times=np.array([0.0]))
    intercepts = table.query("parameter == 'intercept'")
    np.testing.assert_allclose(curves["fitted"], intercepts["estimate"], rtol=1e-9)
    np.testing.assert_allclose(curves["standard_error"], intercepts["standard_error"], rtol=1e-7)
    assert result.optima()["orders"].iloc[0] in {((1, 0, 1), (1, 1)), ((0, 1, 1), (1, 1)), ((1, 1, 0), (1, 1))}
    assert len(result.plot().axes) == 3
    assert "test of independent classes" in result.summary()


def test_problems_of_both_outcomes_are_told_at_once(panel):
    wrong = OutcomeModel(outcome="score", orders=(9,)), OutcomeModel(outcome="moods", orders=(1, 1))
    with pytest.raises(SpecError, match="2 problems") as refused:
        build_dual_design(specs(*wrong), panel)
    assert "order 9" in str(refused.value)
    assert "'moods' is not in the cohort" in str(refused.value)


def test_random_effects_without_variance_are_singular_and_have_no_standard_error(panel):
    # The simulated panel has none beside its classes.
    result = fit_dual_cohort(specs(OutcomeModel(outcome="score", orders=(1, 1), random=0), MOOD), panel)
    assert result.fit.joint.convergence.stop == Stop.SINGULAR
    table = result.coefficients()
    assert table.query("role == 'covariance'")["standard_error"].isna().all()
    assert table.query("role == 'beta'")["standard_error"].notna().all()


def test_with_sampling_weights_independence_has_no_p_value(simulated, panel_of):
    subject, time, columns, _ = simulated(60, 3)
    panel = panel_of(subject, time, {**columns, "sampling": 1.0 + subject % 2})
    result = fit_dual_cohort(specs(TWO, MOOD, weights="sampling"), panel)
    assert result.estimates.covariance_kind == "sandwich"
    assert np.isnan(result.independence().p)
    assert "without a reference" in result.summary()


def test_a_cell_that_a_start_leaves_empty_is_found_out_and_filled_again(simulated, panel_of):
    subject, time, columns, (first, second) = simulated(200, 3, gaps=0.0, noise=6.0)
    design = build_dual_design(
        specs(TWO, OutcomeModel(outcome="mood", orders=(1, 1))), panel_of(subject, time, columns)
    )
    present = [int(label[1:]) for label in design.subjects.labels]
    hard = (np.arange(4)[:, None] == (2 * first + second)[present]).astype(float)
    hard[3] += hard[1]
    hard[1] = 0.0  # nobody where a tenth of the subjects belong: with so much noise, EM is slow to find out
    ends = ends_of(hard[None], design.mixture)
    assert falsely_empty(ends.vectors, design.mixture).tolist() == [True]
    filled = refilled(ends, design.mixture)
    assert filled.stop == (Stop.OPTIMUM,)
    assert falsely_empty(filled.vectors, design.mixture).tolist() == [False]
    assert filled.log_likelihood[0] == pytest.approx(fit_dual(design).joint.log_likelihood, abs=1e-8)


def test_outcomes_of_different_subjects_do_not_tell_how_classes_go_together(simulated, panel_of):
    subject, time, columns, _ = simulated(40, 3)
    early = subject < 20
    apart = {"score": np.where(early, columns["score"], np.nan), "mood": np.where(early, np.nan, columns["mood"])}
    with pytest.raises(SpecError, match="no subject with both 'score' and 'mood'"):
        build_dual_design(specs(TWO, MOOD), panel_of(subject, time, apart))
