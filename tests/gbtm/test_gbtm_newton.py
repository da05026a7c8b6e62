import numpy as np
import pytest

from harness.convergence import Stop
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.fit import fit
from harness.gbtm.mixture import e_step
from harness.gbtm.newton import climb
from harness.gbtm.point import from_point


def test_newton_leaves_the_saddle_at_which_two_classes_are_one(design_of):
    single = fit(design_of(orders=(1,), sigma="shared")).point
    design = design_of(orders=(1, 1), sigma="shared", n_starts=20)
    twice = from_point((0.3, *single[:2], *single[:2], single[2]), design.mixture)
    end = climb(twice[None], design.mixture)
    assert end.stop == (Stop.OPTIMUM,)
    assert end.log_likelihood[0] == pytest.approx(fit(design).log_likelihood, abs=1e-8)


def test_newton_never_ends_below_its_start_wherever_that_is(design_of):
    mixture = design_of(orders=(2, 1, 2), sigma="class").mixture
    starts = np.random.default_rng(1).normal(0, 1, (40, mixture.n_free))
    before = e_step(starts, mixture)[1]
    ends = climb(starts, mixture)
    assert (ends.log_likelihood >= before).all()
    # A class whose sigma fell to its floor of 1e-3 divides the rounding of sums of squares by 1e-6.
    np.testing.assert_allclose(e_step(ends.vectors, mixture)[1], ends.log_likelihood, rtol=1e-16 / 1e-6)
    assert np.mean([stop == Stop.OPTIMUM for stop in ends.stop]) > 0.5
    for stop, gradient in zip(ends.stop, ends.gradient, strict=True):
        assert stop != Stop.OPTIMUM or gradient < 1e-8


def test_newton_gains_all_digits_in_few_steps_near_an_optimum(design_of):
    design = design_of(orders=(2, 2), sigma="shared", n_starts=20)
    best = fit(design)
    mixture = design.mixture_of(best.class_kinds)
    end = climb(from_point(best.point, mixture)[None] + 1e-3, mixture)
    assert end.iterations[0] <= 4  # 1e-3, 1e-6, 1e-12: the number of right digits doubles
    np.testing.assert_allclose(end.vectors[0], from_point(best.point, mixture), atol=1e-9)


def test_newton_reaches_the_optimum_of_models_with_risk_factors_weights_and_common_coefficients(design_of, trial):
    design = design_of((1, 1), "shared", trial, membership="age + sex", weights="sampling", common="dose", n_starts=10)
    best = fit(design)
    assert best.convergence.stop == Stop.OPTIMUM
    near = best.vector + np.random.default_rng(3).normal(0, 0.05, design.n_parameters)
    end = climb(near[None], design.mixture)
    np.testing.assert_allclose(end.vectors[0], best.vector, atol=1e-8)


def test_a_climb_that_ends_too_early_says_so_where_it_is(design_of):
    mixture = design_of(orders=(2, 1, 2), sigma="class").mixture
    starts = np.random.default_rng(1).normal(0, 1, (5, mixture.n_free))
    ends = climb(starts, mixture, iterations=2)
    assert all(isinstance(stop, Stop) and stop == Stop.ITERATION_LIMIT for stop in ends.stop)
    assert ends.iterations.tolist() == [2] * 5
    np.testing.assert_allclose(e_step(ends.vectors, mixture)[1], ends.log_likelihood, rtol=1e-12)


def test_a_search_of_which_nothing_ends_at_an_optimum_is_told(design_of, monkeypatch):
    monkeypatch.setattr("harness.gbtm.ends.climb", lambda vectors, mixture, *_, **__: climb(vectors, mixture, 1))
    monkeypatch.setattr("harness.gbtm.fit.climb", lambda vectors, mixture, *_, **__: climb(vectors, mixture, 1))
    design = design_of(orders=(2, 1, 2), sigma="class")
    start = np.random.default_rng(1).normal(0, 1, design.n_parameters)
    fitted = fit(design, tuple(design.mixture.to_user(start).tolist()))
    assert fitted.convergence.stop == Stop.ITERATION_LIMIT
    assert any("Raise the iteration limit" in note for note in fitted.notes)
    assert "No standard errors" in covariance_refusal(fitted)
