import numpy as np
import pytest
import statsmodels.api as sm

from harness.convergence import Stop
from harness.gbtm.account import EXCHANGE
from harness.gbtm.density import log_likelihood
from harness.gbtm.em import run_em
from harness.gbtm.ends import EM_STEPS
from harness.gbtm.fit import fit
from harness.gbtm.mixture import e_step
from harness.gbtm.newton import climb
from harness.gbtm.starts import KINDS, draw_starts, exchange_starts, kind_assignments


@pytest.mark.parametrize("order", [0, 1, 3])
def test_one_class_is_least_squares(design_of, order):
    design = design_of(orders=(order,), sigma="shared")
    fitted = fit(design)
    rows = design.outcomes[0].rows
    reference = sm.OLS(rows.y, np.vander(rows.time, order + 1, increasing=True)).fit()
    sigma = np.sqrt(np.mean(reference.resid**2))
    np.testing.assert_allclose(fitted.point, (*reference.params, sigma), rtol=1e-9)
    assert fitted.log_likelihood == pytest.approx(reference.llf, abs=1e-9)


def test_one_class_with_covariates_and_weights_is_weighted_least_squares(design_of, trial):
    design = design_of((1,), "shared", trial, covariates="dose", common="stress + sex", weights="sampling")
    fitted = fit(design)
    given, male = trial.numeric, (trial.factors["sex"].codes == trial.factors["sex"].levels.index("male")).astype(float)
    columns = [np.ones(trial.n_rows), given["week"], given["dose"], given["stress"], male]
    w = given["sampling"]
    reference = sm.WLS(given["score"], np.column_stack(columns), weights=w).fit()
    sigma = np.sqrt(np.sum(w * reference.resid**2) / np.sum(w))
    np.testing.assert_allclose(fitted.point, (*reference.params, sigma), rtol=1e-9)


@pytest.mark.parametrize("role", ["covariates", "common"])
@pytest.mark.parametrize("orders", [(1, 1), (1, 0)])
def test_one_more_free_coefficient_never_costs_log_likelihood(design_of, trial, orders, role):
    without, with_it = (
        fit(design_of(orders, "shared", trial, n_starts=10, **terms)).log_likelihood for terms in ({}, {role: "dose"})
    )
    # Doses raise the score by 0.6 a unit in each of 187 rows.
    assert with_it > without + 10


def test_common_coefficients_are_class_specific_ones_that_are_equal(design_of, trial):
    common, by_class = (
        design_of((1, 1), "shared", trial, n_starts=10, **{role: "dose"}) for role in ("common", "covariates")
    )
    fits = [fit(common), fit(by_class)]
    assert fits[0].log_likelihood < fits[1].log_likelihood
    *beta, dose, sigma = np.array(fits[0].point)[1:].tolist()
    equal = (fits[0].point[0], *beta[:2], dose, *beta[2:], dose, sigma)
    assert log_likelihood(equal, by_class) == pytest.approx(fits[0].log_likelihood, abs=1e-9)


def test_risk_factors_without_effect_leave_the_model_as_it_was(design_of, trial):
    plain, with_risk = (design_of((1, 1), "shared", trial, n_starts=10, membership=text) for text in ("", "age + sex"))
    fits = [fit(plain), fit(with_risk)]
    assert fits[0].log_likelihood < fits[1].log_likelihood
    point = (fits[0].point[0], 0.0, 0.0, *fits[0].point[1:])
    assert log_likelihood(point, with_risk) == pytest.approx(fits[0].log_likelihood, abs=1e-9)


@pytest.mark.parametrize("sigma", ["shared", "class"])
@pytest.mark.parametrize("orders", [(1, 1), (2, 2, 2), (2, 1, 2)])
def test_the_end_is_an_optimum_to_rounding(design_of, orders, sigma):
    design = design_of(orders=orders, sigma=sigma, n_starts=30)
    fitted = fit(design)
    assert fitted.convergence.stop == Stop.OPTIMUM
    assert fitted.convergence.gradient < 1e-8
    assert fitted.log_likelihood == pytest.approx(log_likelihood(fitted.point, design, fitted.class_kinds), abs=1e-9)
    # At an optimum, shares are mean posteriors, and no small step in any direction is better.
    for p in range(len(fitted.point)):
        for step in (-1e-3, 1e-3):
            near = np.array(fitted.point)
            near[p] += step
            assert log_likelihood(tuple(near), design, fitted.class_kinds) < fitted.log_likelihood


def test_a_known_truth_is_recovered(design_of, cohort_of, simulated):
    beta = ((20.0, -2.0, 0.1), (22.0, 0.5, 0.0), (10.0, 1.0, -0.2))
    subject, time, outcome, _ = simulated((0.5, 0.3, 0.2), beta, (2.0, 2.0, 2.0), n_subjects=1500, seed=11)
    fitted = fit(design_of((2, 2, 2), "shared", cohort_of(subject, time, outcome), n_starts=12))
    found = np.array(fitted.point)
    mean_at = [np.mean(np.polynomial.polynomial.polyval(time, b)) for b in beta]
    order = np.argsort(mean_at)
    odds = np.append(np.exp(found[:2]), 1)
    # Standard errors here are about 0.015 for shares, 0.3 for intercepts, 0.02 for sigma: four of each.
    np.testing.assert_allclose(odds / odds.sum(), np.array([0.5, 0.3, 0.2])[order], atol=0.06)
    curves = found[2:-1].reshape(3, 3)
    for g, truth in enumerate(order):
        at = np.polynomial.polynomial.polyval(np.array([1.0, 4.0, 7.0]), curves[g])
        np.testing.assert_allclose(
            at, np.polynomial.polynomial.polyval(np.array([1.0, 4.0, 7.0]), beta[truth]), atol=0.8
        )
    assert found[-1] == pytest.approx(2.0, abs=0.1)


def test_starts_do_not_depend_on_how_they_are_batched_or_continued(design_of):
    design = design_of(n_starts=12)
    together = draw_starts(design, 0, 12)
    apart = [draw_starts(design, s, 1) for s in range(12)]
    assert together.kinds == tuple(part.kinds[0] for part in apart)
    np.testing.assert_array_equal(together.posterior, np.concatenate([part.posterior for part in apart]))
    np.testing.assert_allclose(together.posterior.sum(axis=1), 1.0)


def test_the_same_seed_gives_the_same_fit_and_another_seed_other_starts(design_of):
    design = design_of(n_starts=10)
    assert fit(design).point == fit(design).point
    other = draw_starts(design_of(n_starts=10, seed=2), 0, 10).posterior
    assert not np.array_equal(draw_starts(design, 0, 10).posterior, other)


def test_unequal_orders_are_tried_in_every_assignment(design_of):
    design = design_of(orders=(2, 1, 0), sigma="shared", n_starts=30)
    fitted = fit(design)
    tried = {a for a, kind in zip(fitted.starts.assignments, fitted.starts.kinds, strict=True) if kind in KINDS}
    assert tried == set(kind_assignments(design.class_kinds))
    assert len(tried) == 6
    assert sorted(fitted.orders) == [0, 1, 2]
    for kinds in sorted(tried)[::3]:
        again = fit(design.with_kinds(kinds))
        assert again.log_likelihood == pytest.approx(fitted.log_likelihood, abs=1e-7)
        assert again.orders == fitted.orders


def test_classes_come_from_the_lowest_to_the_highest_mean_curve(design_of):
    design = design_of(orders=(2, 2, 2), sigma="shared", n_starts=20)
    for optimum in fit(design).optima:
        curves = np.array(optimum.point[2:-1]).reshape(3, 3)
        means = [np.polynomial.polynomial.polyval(design.outcomes[0].rows.time, beta).mean() for beta in curves]
        assert means == sorted(means)


def test_a_model_is_never_below_the_model_with_one_class_less(design_of, cohort_of):
    stream = np.random.default_rng(8)
    noise = cohort_of(np.repeat(range(30), 4), np.tile(np.arange(4.0), 30), stream.standard_normal(120))
    for sigma in ("shared", "class"):
        previous = -np.inf
        for K in (1, 2, 3, 4):
            fitted = fit(design_of((1,) * K, sigma, noise, n_starts=6))
            best = max(optimum.log_likelihood for optimum in fitted.optima)
            assert best >= previous - 1e-6
            previous = best


def test_an_empty_or_duplicated_class_is_said_and_never_counted(design_of, cohort_of):
    stream = np.random.default_rng(0)
    noise = cohort_of(np.repeat(range(60), 5), np.tile(np.arange(5.0), 60), stream.standard_normal(300))
    fitted = fit(design_of((0,) * 5, "shared", noise, n_starts=20))
    best = fitted.optima[fitted.chosen]
    assert best.n_distinct_classes < 5
    assert fitted.convergence.stop == Stop.EMPTY_CLASS
    assert any(f"a solution of {best.n_distinct_classes} classes" in note for note in fitted.notes)


def test_a_spike_is_listed_and_flagged_but_an_interior_optimum_is_chosen(design_of, cohort_of):
    stream = np.random.default_rng(4)
    score = stream.standard_normal((12, 4)) + np.repeat([0.0, 3.0], 6)[:, None]
    score[0] = -3.0  # one subject without any variation: sigma of its own class goes to 0
    cohort = cohort_of(np.repeat(range(12), 4), np.tile(np.arange(4.0), 12), score.ravel())
    fitted = fit(design_of((0, 0), "class", cohort))
    highest, chosen = fitted.optima[0], fitted.optima[fitted.chosen]
    assert highest.collapsed
    assert highest.convergence.stop == Stop.BOUNDARY
    assert highest.convergence.gradient < 1e-8  # all but the sigma at its floor is polished
    assert highest.log_likelihood > chosen.log_likelihood + 1
    assert chosen.is_proper
    assert fitted.log_likelihood == chosen.log_likelihood
    assert any("higher log-likelihood" in note for note in fitted.notes)


def test_splits_of_the_model_with_one_class_less_are_among_the_starts(design_of):
    fitted = fit(design_of((1, 1, 1), "shared", n_starts=1))
    assert sum("split" in kind for kind in fitted.starts.kinds) == 4
    assert fitted.log_likelihood > fitted.reduced_log_likelihood


def test_merges_of_the_model_with_one_class_more_are_tried_where_starts_disagree(design_of):
    agreed = fit(design_of((1, 1), "shared", n_starts=20))
    assert agreed.hit_rate > 0.5
    assert not any("merge" in kind for kind in agreed.starts.kinds)
    fitted = fit(design_of((2,) * 4, "class", n_starts=4))
    assert fitted.hit_rate < 0.5
    # One class for two: any pair of the five that the larger model has.
    assert sum("merge" in kind for kind in fitted.starts.kinds) == 10


def test_starts_are_extended_when_the_best_end_is_rare(design_of):
    fitted = fit(design_of((2,) * 4, "class", n_starts=2))
    drawn = sum(kind in KINDS for kind in fitted.starts.kinds)
    assert drawn > 2 or fitted.hits[fitted.starts.is_independent].sum() >= 2
    assert drawn <= 10


def test_every_start_is_accounted_for(design_of):
    fitted = fit(design_of(n_starts=40))
    table = fitted.starts
    assert len(table.kinds) == len(table.assignments) == len(table.log_likelihood) == len(table.optimum)
    for k, optimum in enumerate(fitted.optima):
        assert optimum.count == np.sum(table.optimum == k)
        if optimum.convergence.stop == Stop.OPTIMUM:
            np.testing.assert_allclose(table.log_likelihood[table.optimum == k], optimum.log_likelihood, atol=1e-5)
    values = [optimum.log_likelihood for optimum in fitted.optima]
    assert values == sorted(values, reverse=True)


def test_a_given_start_is_climbed_from_and_nothing_else(design_of):
    design = design_of(orders=(2, 2, 2), sigma="shared", n_starts=20)
    best = fit(design)
    start = np.array(best.point) + 0.01
    again = fit(design, tuple(start))
    assert again.n_starts == 1
    np.testing.assert_allclose(again.point, best.point, rtol=1e-6, atol=1e-8)


def test_a_given_start_may_have_its_classes_in_another_order(design_of):
    design = design_of(orders=(0, 2, 1), sigma="class", n_starts=10)
    best = fit(design)
    assert best.class_kinds != design.class_kinds
    again = fit(design, best.point, best.class_kinds)
    assert again.class_kinds == best.class_kinds
    np.testing.assert_allclose(again.point, best.point, rtol=1e-7, atol=1e-9)


def test_how_starts_are_batched_changes_no_end(design_of, monkeypatch):
    design = design_of(orders=(1, 2), sigma="class", n_starts=12)
    together = fit(design)
    monkeypatch.setattr("harness.gbtm.ends._BATCH", 1)
    apart = fit(design)
    assert [optimum.count for optimum in apart.optima] == [optimum.count for optimum in together.optima]
    # Products of another size are rounded in another order.
    np.testing.assert_allclose(apart.starts.log_likelihood, together.starts.log_likelihood, rtol=1e-12)
    np.testing.assert_allclose(apart.point, together.point, rtol=1e-8)


def test_exchanges_between_classes_lead_out_of_a_local_optimum(design_of):
    design = design_of(orders=(2, 2, 2), sigma="shared", n_starts=40)
    fitted = fit(design)
    local = next(o for o in fitted.optima if o.is_proper and o.log_likelihood < fitted.log_likelihood - 1)
    posterior = e_step(np.array(local.working)[None], design.mixture)[0][0]
    starts = exchange_starts(posterior, design)
    assert len(starts) == 3
    np.testing.assert_allclose(starts.sum(axis=1), 1.0)
    ends = climb(run_em(starts, design.mixture, EM_STEPS), design.mixture)
    assert ends.log_likelihood.max() == pytest.approx(fitted.log_likelihood, abs=1e-8)


def test_exchanges_do_not_count_as_evidence_for_the_optimum_they_came_from(design_of):
    fitted = fit(design_of(orders=(2, 2, 2), sigma="shared", n_starts=20))
    independent = fitted.starts.is_independent
    assert [kind == EXCHANGE for kind in fitted.starts.kinds] == (~independent).tolist()
    assert (~independent).sum() >= 3
    assert fitted.hit_rate == fitted.hits[independent].mean()


@pytest.mark.parametrize(("seed", "best"), [(97, -399.03964770), (142, -457.09259911)])
def test_a_class_of_chance_is_searched_for_although_starts_agree(design_of, cohort_of, simulated, seed, best):
    # Two classes fitted by three: over 70 % of 100 starts end 0.2 lower. `best` is what 2000 starts of another seed
    # found without newcomers, merges and exchanges of runners-up.
    subject, time, outcome, _ = simulated((0.5, 0.5), ((0.0, 0.5), (3.0, -0.3)), (1.0, 1.0), seed=seed)
    fitted = fit(design_of(orders=(1, 1, 1), sigma="shared", cohort=cohort_of(subject, time, outcome), n_starts=100))
    assert fitted.log_likelihood == pytest.approx(best, abs=1e-6)
    assert fitted.best.is_proper
    assert fitted.log_likelihood - fitted.reduced_log_likelihood < 3  # parameters of a class
