"""One class variable for several outcomes: against loops, single models, and a simulated truth."""

import numpy as np
import pytest

import harness
from harness.errors import SpecError
from harness.gbtm.design import build_design
from harness.gbtm.em import begin, m_step
from harness.gbtm.fit import fit
from harness.gbtm.mixture import derivatives, e_step
from harness.gbtm.several.multi import build_multi_design
from harness.gbtm.several.multi_result import fit_multi_cohort
from harness.gbtm.several.outcome_model import OutcomeModel, specs_of

SCORE, MOOD = OutcomeModel(outcome="score", orders=(1, 0)), OutcomeModel(outcome="mood", orders=(1, 1), sigma="class")


def specs(*outcomes, **settings):
    return specs_of(outcomes, **{"time": "week", "subject": "id", "n_starts": 10, **settings})


def somewhere(design, seed=5, count=1):
    return np.random.default_rng(seed).normal(0, 0.4, (count, design.n_parameters))


def test_the_log_likelihood_is_that_of_loops_over_outcomes(panel, small_panel, multi_loops):
    for data in (panel, small_panel):
        design = build_multi_design(specs(SCORE, MOOD), data)
        vector = somewhere(design)
        exact = multi_loops(design)(*design.mixture.to_user(vector[0]))
        assert e_step(vector, design.mixture)[1][0] == pytest.approx(exact, rel=1e-12)


def test_score_and_information_are_the_derivatives_of_the_loops(small_panel, multi_loops, slopes_of_loops):
    design = build_multi_design(specs(SCORE, MOOD), small_panel)
    vector = somewhere(design)
    gradient, hessian = slopes_of_loops(multi_loops, design, vector[0])
    found = derivatives(vector, design.mixture)
    np.testing.assert_allclose(found.score[0], gradient, rtol=1e-7, atol=1e-10 * np.abs(gradient).max())
    np.testing.assert_allclose(-found.information[0], hessian, atol=1e-6 * np.abs(hessian).max())


def test_one_class_is_both_models_alone(panel):
    one, two = OutcomeModel(outcome="score", orders=(2,)), OutcomeModel(outcome="mood", orders=(1,))
    together = fit(build_multi_design(specs(one, two), panel))
    apart = [fit(build_design(spec, panel)) for spec in specs(one, two)]
    assert together.log_likelihood == pytest.approx(sum(own.log_likelihood for own in apart), abs=1e-9)
    np.testing.assert_allclose(together.point, apart[0].point + apart[1].point, rtol=1e-9)


def test_one_outcome_is_the_model_of_that_outcome(panel):
    (spec,) = specs(OutcomeModel(outcome="score", orders=(1, 1)))
    multi, alone = fit(build_multi_design((spec,), panel)), fit(build_design(spec, panel))
    assert multi.point == alone.point


def test_a_copy_of_an_outcome_doubles_what_each_class_says(simulated, panel_of):
    subject, time, columns, _ = simulated(40, 8, gaps=0.0)
    panel = panel_of(subject, time, {"score": columns["score"], "again": columns["score"]})
    models = [OutcomeModel(outcome=name, orders=(1, 0)) for name in ("score", "again")]
    twice, once = build_multi_design(specs(*models), panel), build_design(specs(*models)[0], panel)
    vector = somewhere(once)
    log_odds = once.mixture.membership.n_free
    both = np.concatenate([vector, vector[:, log_odds:]], axis=1)
    density, doubled = once.mixture.densities[0], twice.mixture.densities
    own = vector[:, log_odds:]
    np.testing.assert_allclose(sum(d.log_density(own) for d in doubled), 2 * density.log_density(own), rtol=1e-12)
    posterior, _ = e_step(both, twice.mixture)
    shares = np.exp(once.mixture.membership.log_shares(vector[:, :log_odds]))
    squared = shares * np.exp(2 * density.log_density(own))
    np.testing.assert_allclose(posterior, squared / squared.sum(axis=1, keepdims=True), rtol=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_em_never_lowers_the_log_likelihood(panel, seed):
    mixture = build_multi_design(specs(SCORE, MOOD), panel).mixture
    posterior = np.random.default_rng(seed).dirichlet(np.ones(2), (4, len(mixture.weights))).transpose(0, 2, 1)
    vectors, before = begin(posterior, mixture), -np.inf
    for _ in range(30):
        posterior, reached = e_step(vectors, mixture)
        assert np.all(reached >= before - 1e-10 * np.abs(reached))  # rounding of a sum over subjects
        vectors, before = m_step(posterior, vectors, mixture), reached


def test_classes_in_another_order_are_the_same_model(panel):
    design = build_multi_design(specs(SCORE, MOOD), panel)
    vector, order = somewhere(design), np.array([1, 0])
    moved, mixture = design.mixture.relabelled(vector, order), design.mixture.permuted(order)
    posterior, reached = e_step(vector, design.mixture)
    after, again = e_step(moved, mixture)
    assert again[0] == pytest.approx(reached[0], rel=1e-13)
    np.testing.assert_allclose(after[0], posterior[0][order], rtol=1e-10)
    swapped = design.with_kinds(tuple(design.class_kinds[g] for g in order))
    assert [spec.orders for spec in swapped.specs] == [(0, 1), (1, 1)]
    assert swapped.class_kinds == ((0, 0, 0, 1, 0, 0), (1, 0, 0, 1, 0, 0))


def test_outcomes_in_another_order_are_the_same_model(panel):
    score = OutcomeModel(outcome="score", orders=(1, 1))
    one = fit_multi_cohort(specs(score, MOOD), panel)
    two = fit_multi_cohort(specs(MOOD, score), panel)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-8)
    # The first outcome orders the classes, and here a high score goes with a low mood.
    np.testing.assert_allclose(two.class_shares[::-1], one.class_shares, rtol=1e-6)
    keys = ["outcome", "parameter", "role"]
    for g, h in ((1, 2), (2, 1)):
        a, b = (
            r.coefficients().query("latent_class == @c and outcome != ''").sort_values(keys)
            for r, c in ((one, g), (two, h))
        )
        np.testing.assert_allclose(a["estimate"], b["estimate"], rtol=1e-6)
        np.testing.assert_allclose(a["standard_error"], b["standard_error"], rtol=1e-5)


def test_a_known_truth_is_recovered_with_subjects_who_lack_an_outcome(simulated, panel_of):
    subject, time, columns, (first, _) = simulated(1500, 11, shares=((0.6, 0.0), (0.0, 0.4)), gaps=0.3)
    columns["mood"][subject % 5 == 0] = np.nan
    models = [OutcomeModel(outcome=name, orders=(1, 1)) for name in ("score", "mood")]
    result = fit_multi_cohort(specs(*models, n_starts=4), panel_of(subject, time, columns))
    table = result.coefficients().query("role == 'beta'")
    truth = [10, -0.5, 16, -1.5, 30, 0, 22, 1]
    # Four standard errors each: eight such numbers are all inside but in one of two thousand seeds.
    assert np.all(np.abs(table["estimate"] - truth) < 4 * table["standard_error"])
    assert table["standard_error"].max() < 0.2
    present = [int(label[1:]) for label in result.estimates.subject_labels]
    assert np.mean(result.assignment - 1 == first[present]) > 0.97


def test_unequal_orders_go_together_by_class_and_are_tried_in_every_assignment(panel):
    models = [OutcomeModel(outcome="score", orders=(1, 0)), OutcomeModel(outcome="mood", orders=(0, 2))]
    result = fit_multi_cohort(specs(*models), panel)
    pairs = set(zip(*result.orders.values(), strict=True))
    assert pairs == {(1, 0), (0, 2)}
    tried = set(result.starts["orders"])
    assert {((1, 0), (0, 2)), ((0, 1), (2, 0))} <= tried


def test_tables_name_the_outcome_of_every_row(panel):
    result = fit_multi_cohort(specs(SCORE, MOOD), panel)
    table = result.coefficients()
    assert table.groupby("outcome").size().to_dict() == {"": 2, "score": 4, "mood": 6}
    assert not table["parameter"].str.contains(":").any()
    named = [p.name for p in result.estimates.parameters if p.role != "log_odds"]
    assert all(name.startswith(("score: ", "mood: ")) for name in named)
    curves = result.class_curves(times=np.array([0.0, 4.0]))
    assert curves.groupby(["outcome", "latent_class"]).size().eq(2).all()
    at_zero = curves.query("week == 0 and outcome == 'mood'")["fitted"].to_numpy()
    intercepts = table.query("outcome == 'mood' and parameter == 'intercept'")["estimate"].to_numpy()
    np.testing.assert_allclose(at_zero, intercepts, rtol=1e-10)
    errors = table.query("outcome == 'mood' and parameter == 'intercept'")["standard_error"].to_numpy()
    np.testing.assert_allclose(curves.query("week == 0 and outcome == 'mood'")["standard_error"], errors, rtol=1e-8)
    assert "Multi-trajectory model of 2 outcome(s)" in result.summary()
    assert len(result.plot().axes) == 2


def test_dropout_of_one_outcome_is_one_more_density_of_its_classes(panel):
    model = OutcomeModel(outcome="mood", orders=(1, 1), dropout=(1, 0))
    design = build_multi_design(specs(model, SCORE), panel)
    assert [outcome.density for outcome in design.outcomes] == [0, 2]
    assert design.mixture.labels == ("mood", "mood", "score")
    result = fit_multi_cohort(specs(model, SCORE), panel)
    curves = result.class_curves(times=np.array([0.0]))
    table = result.coefficients().query("role == 'beta' and parameter == 'intercept'")
    np.testing.assert_allclose(curves["fitted"], table["estimate"], rtol=1e-9)


def test_what_can_not_be_one_model_is_refused_with_every_reason(panel):
    with pytest.raises(SpecError, match="3 problems") as refused:
        build_multi_design(specs(SCORE, OutcomeModel(outcome="score", orders=(1, 1, 9))), panel)
    assert "outcome 'score' 2 times" in str(refused.value)
    assert "2 order(s) for 'score', 3 order(s) for 'score'" in str(refused.value)
    with pytest.raises(SpecError, match="no outcomes"):
        build_multi_design((), panel)


def test_a_weight_that_changes_between_outcomes_is_refused(simulated, panel_of):
    subject, time, columns, _ = simulated(20, 5, gaps=0.0)
    odd = time % 2 == 1
    score, mood = np.where(odd, columns["score"], np.nan), np.where(odd, np.nan, columns["mood"])
    panel = panel_of(subject, time, {"score": score, "mood": mood, "sampling": 1.0 + odd})
    models = [OutcomeModel(outcome=name, orders=(0,)) for name in ("score", "mood")]
    with pytest.raises(SpecError, match="'sampling' changes within a subject"):
        build_multi_design(specs(*models, weights="sampling"), panel)


def test_an_outcome_model_is_asked_for_by_name(panel):
    with pytest.raises(SpecError, match="expected an outcome_model"):
        harness.fit_multi_trajectory(panel, ["score"], time="week", subject="id")
    with pytest.raises(SpecError, match="no outcomes"):
        harness.fit_multi_trajectory(harness.cohorts.to_frame(panel), [], time="week", subject="id")
    fitted = harness.fit_multi_trajectory(
        panel,
        [harness.outcome_model("score", [1, 0]), harness.outcome_model("mood", (1, 1))],
        time="week",
        subject="id",
        n_starts=5,
    )
    assert fitted.outcomes == ("score", "mood")
