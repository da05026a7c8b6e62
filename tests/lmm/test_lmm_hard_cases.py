"""Where other engines fail silently: boundaries, bad scales, awkward panels."""

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.cohorts.subset import keep_levels
from harness.convergence import Stop
from harness.errors import SpecError
from harness.formula import parse_formula
from harness.lmm.covariance import lower_triangular, relative_factor
from harness.lmm.curvature import distance_to_optimum
from harness.lmm.design import build_design
from harness.lmm.deviance import profiled_deviance
from harness.lmm.estimation import estimate
from harness.lmm.evaluation import evaluate
from harness.lmm.fit import fit
from harness.lmm.spec import LmmSpec

FORMULA = "y ~ t * g + (1 + t | id)"


@pytest.fixture(scope="module")
def run(make_cohort, make_design):
    def fitted(panel, criterion="REML", formula=FORMULA):
        design = make_design(formula, make_cohort(**panel), criterion)
        return fit(design), design

    return fitted


def assert_certified(found):
    assert found.convergence.converged
    assert found.convergence.gradient < 1e-8
    assert found.convergence.distance < 1e-8
    assert (found.eigenvalues > 0).all()


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"jitter": 0.2},
        {"sd": (0, 1)},
        {"sd": (1, 0)},
        {"sd": (0, 0)},
        {"correlation": 1.0},
        {"correlation": -1.0, "sd": (0.3, 1)},
        {"sd": (1000, 1000)},
        {"sd": (6, 2), "sigma": 1e-5},
        {"visits": 4, "dropout": 0.4},
    ],
    ids=str,
)
def test_every_shape_of_covariance_ends_at_a_certified_optimum(simulate, run, kind, seed, criterion):
    found, design = run(simulate(seed=seed, **kind), criterion)
    assert_certified(found)
    assert found.convergence.iterations <= 25
    assert found.deviance == pytest.approx(profiled_deviance(found.theta, design), rel=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_no_start_finds_a_lower_criterion_when_the_intercept_variance_is_zero(simulate, run, seed):
    """A bounded search stops at false boundaries here; the criterion of ours is the lowest from every start."""
    found, design = run(simulate(m=80, sd=(0.0, 1.0), correlation=0.0, seed=seed))
    stream = np.random.default_rng(seed)
    starts = [[0.0, 0.5, 0.5], [0.0, -0.5, 0.5], [1.0, 0.0, 1.0], [0.05, 0.9, 0.0], *stream.normal(size=(4, 3))]
    others = [fit(design, start=np.array(start)).deviance for start in starts]
    assert found.deviance <= min(others) + 1e-9


def test_the_search_leaves_a_saddle(simulate, run):
    """At Lambda = 0 the gradient is exactly zero."""
    best, design = run(simulate())
    assert fit(design, start=np.zeros(3)).deviance == pytest.approx(best.deviance, abs=1e-9)


def test_perfect_correlation_is_said_with_its_sign(simulate, run):
    for seed in range(20):
        found, _ = run(simulate(m=25, correlation=-1.0, sd=(1.0, 0.5), seed=seed))
        if found.convergence.stop is Stop.SINGULAR:
            assert "intercept and t are perfectly negatively correlated" in found.convergence.message
            return
    pytest.fail("none of 20 panels with correlation -1 was singular")


def test_a_zero_slope_variance_is_named(simulate, run):
    for seed in range(20):
        found, _ = run(simulate(m=25, sd=(1.0, 0.0), seed=seed), formula="y ~ t * g + (1 + t || id)")
        if found.convergence.stop is Stop.SINGULAR:
            assert "the variance of t is zero" in found.convergence.message
            return
    pytest.fail("none of 20 panels without slope variance was singular")


def test_singularity_does_not_depend_on_units_or_the_origin_of_time(simulate, run):
    panel = simulate(m=25, correlation=-1.0, sd=(1.0, 0.5), seed=0)
    stops = {
        run({**panel, "t": scale * panel["t"] + origin})[0].convergence.stop
        for scale in (1.0, 1e4, 1e-4)
        for origin in (0.0, 7.0)
    }
    assert len(stops) == 1


@pytest.mark.parametrize("scale", [1e4, 1e-4])
def test_a_unit_of_time_moves_theta_and_the_criterion_by_law_only(simulate, run, scale):
    panel = simulate()
    plain, _ = run(panel)
    scaled, _ = run({**panel, "t": scale * panel["t"]})
    np.testing.assert_allclose(scaled.theta * [1, scale, scale], plain.theta, rtol=1e-10)
    # REML's log|X'V^-1 X| moves by 2 log|det T|: t and t:g are two columns.
    assert scaled.deviance == pytest.approx(plain.deviance + 4 * np.log(scale), rel=1e-13)


def test_a_large_offset_of_the_outcome_leaves_eleven_digits(simulate, run):
    panel = simulate()
    plain, _ = run(panel)
    shifted, _ = run({**panel, "y": panel["y"] + 1e7})
    # y + 1e7 is rounded by 1e-9 of sigma; no more may be lost.
    np.testing.assert_allclose(shifted.theta, plain.theta, rtol=1e-8)
    assert shifted.beta[0] == pytest.approx(plain.beta[0] + 1e7, rel=1e-15)


def test_a_tiny_sigma_with_no_slope_variance_is_recovered(simulate, run):
    """G/sigma^2 is 4e11 and nearly singular; the residual sum of squares would be lost in a difference."""
    found, _ = run(simulate(m=209, sd=(6.0, 0.0), sigma=1e-5))
    assert found.convergence.converged
    assert found.convergence.distance < 1e-6
    # Four standard errors: 1/sqrt(2 df) with about 640 residual df, and with 209 subjects.
    assert found.sigma == pytest.approx(1e-5, rel=0.11)
    assert found.sigma * found.theta[0] == pytest.approx(6.0, rel=0.2)


def test_subjects_with_fewer_rows_than_random_effects_count_their_real_rows(uneven, make_design):
    """One subject has one row, another all visits at one time; compare with the dense definition by its theta."""
    design = make_design("y ~ t + (1 + t | id)", uneven)
    found = fit(design)
    assert_certified(found)
    for step in np.vstack([np.eye(3), -np.eye(3)]) * 1e-3:
        assert profiled_deviance(found.theta + step, design) >= found.deviance - 1e-10


def test_all_visits_of_a_subject_at_one_time_are_no_obstacle(simulate, run):
    panel = simulate()
    t = panel["t"].copy()
    t[[label == "s003" for label in panel["id"]]] = 0.0
    found, _ = run({**panel, "t": t})
    assert_certified(found)


def test_three_random_effects_reach_a_certified_optimum(simulate, run):
    found, design = run(simulate(m=80, seed=3), formula="y ~ t * g + (1 + t + t^2 | id)")
    assert_certified(found)
    best = min(fit(design, start=np.array(s)).deviance for s in np.random.default_rng(0).normal(size=(6, 6)))
    assert found.deviance <= best + 1e-8


def test_theta_is_canonical(simulate, run):
    found, _ = run(simulate(sd=(0.0, 1.0), correlation=0.0))
    Lambda = relative_factor(found.theta, (2,))
    assert (np.diag(Lambda) >= 0).all()
    np.testing.assert_allclose(lower_triangular(Lambda) @ lower_triangular(Lambda).T, Lambda @ Lambda.T, atol=1e-14)


def test_an_outcome_that_random_effects_fit_exactly_is_refused(make_cohort, make_design):
    cohort = make_cohort(id=[f"s{i // 3}" for i in range(30)], y=np.repeat(np.arange(10.0) ** 2, 3))
    with pytest.raises(SpecError, match="random effects fit exactly"):
        fit(make_design("y ~ 1 + (1 | id)", cohort))


def test_a_constant_covariate_of_unequal_panels_has_no_residual_either():
    """Rounding in the statistics leaves a sigma of 1e-15 years here, which is none."""
    cohort = keep_levels(fixture_cohort("ketamine_real"), {"visit": [f"inf{k}" for k in range(1, 7)]})
    with pytest.raises(SpecError, match="random effects fit exactly"):
        fit(build_design(LmmSpec(formula=parse_formula("age ~ week + (1 | subject)")), cohort))


def test_an_undetermined_covariance_is_flat_or_singular_and_says_so(make_cohort, make_design):
    """Each subject is seen at one of two times: two variances of the level can't tell three parameters."""
    stream = np.random.default_rng(5)
    t = np.repeat(np.arange(40) % 2, 4).astype(float)
    y = np.repeat(stream.normal(size=40) * (1 + (np.arange(40) % 2)), 4) + stream.normal(size=160)
    found = fit(make_design("y ~ t + (1 + t | id)", make_cohort(id=[f"s{i // 4}" for i in range(160)], t=t, y=y)))
    assert found.convergence.stop in {Stop.FLAT, Stop.SINGULAR}
    assert found.convergence.message.startswith(("The data do not determine", "Singular fit"))


def test_an_iteration_limit_is_a_value_with_a_sentence(simulate, make_cohort, make_design):
    design = make_design(FORMULA, make_cohort(**simulate()))
    found = fit(design, start=np.array([5.0, 3.0, 5.0]), limit=1)
    assert found.convergence.stop is Stop.ITERATION_LIMIT
    assert not found.convergence.converged
    assert found.convergence.distance > 1e-3
    assert estimate(found, design).variance_cov is None


def test_moments_start_the_search_near_its_end(simulate, run):
    found, _ = run(simulate(m=2000, correlation=0.8, seed=7))
    np.testing.assert_allclose(found.start, found.theta, rtol=0.1)
    assert found.convergence.iterations <= 5


def test_the_truth_is_recovered(simulate, run):
    found, design = run(simulate(m=2000, seed=11))
    estimates = estimate(found, design)
    z = (estimates.beta - [20, -1, 0, 0.5]) / np.sqrt(np.diag(estimates.vcov))
    truth = np.array([1.0, 0.2 * 0.3, 0.09, 1.0])
    values = np.append(estimates.random_cov[np.tril_indices(2)], estimates.sigma)
    z = np.append(z, (values - truth) / np.sqrt(np.diag(estimates.variance_cov)))
    assert np.abs(z).max() < 4  # one seeded draw of 8 standard normals
    assert distance_to_optimum(found.theta, design) < 1e-8


@pytest.mark.parametrize("bars", ["|", "||"])
def test_the_start_is_the_same_in_all_units_of_time(simulate, make_cohort, make_design, bars):
    panel = simulate()
    formula = f"y ~ t * g + (1 + t {bars} id)"
    plain = fit(make_design(formula, make_cohort(**panel))).start
    scaled = fit(make_design(formula, make_cohort(**{**panel, "t": panel["t"] * 1e4}))).start
    np.testing.assert_allclose(scaled[-1] * 1e4, plain[-1], rtol=1e-10)
    np.testing.assert_allclose(scaled[0], plain[0], rtol=1e-10)


def test_the_start_is_the_same_from_all_origins_of_time(simulate, make_cohort, make_design):
    panel = simulate(sd=(0.0, 1.0))
    starts = {}
    for origin in (0.0, 2000.0):
        design = make_design(FORMULA, make_cohort(**{**panel, "t": panel["t"] + origin}))
        found = relative_factor(fit(design).start, (2,))
        starts[origin] = np.array([[1.0, origin], [0.0, 1.0]]) @ found @ found.T @ np.array([[1.0, 0.0], [origin, 1.0]])
    # About the origin 2000 Gamma's entries are up to 4e6 times larger, and cancel.
    np.testing.assert_allclose(starts[2000.0], starts[0.0], rtol=1e-6, atol=1e-6)


def test_adapted_coordinates_make_the_fit_orthonormal(simulate, make_cohort, make_design):
    found = fit(make_design(FORMULA, make_cohort(**simulate(sd=(6.0, 2.0), sigma=1e-5))))
    assert found.statistics.coordinates.adapted
    np.testing.assert_allclose(found.statistics.spread.T @ found.statistics.spread, np.eye(2), atol=1e-12)
    here = evaluate(found.Lambda, found.statistics)
    assert np.linalg.cond(here.cross) < 10
    assert np.abs(here.beta).max() < 1


@pytest.mark.parametrize("origin", [50.0, 2000.0, 45000.0])
def test_independent_effects_of_a_time_from_far_away_have_no_lower_optimum_elsewhere(
    simulate, make_cohort, make_design, origin
):
    """Intercept and slope are all but proportional there, so each of the two can stand for both, at two minima."""
    panel = simulate(m=15, sd=(0.5, 1.5), correlation=-1.0, seed=1)
    design = make_design("y ~ t * g + (1 + t || id)", make_cohort(**{**panel, "t": np.asarray(panel["t"]) + origin}))
    found = fit(design)
    assert found.convergence.converged
    same = np.equal.outer(*[np.repeat(np.arange(15), np.diff(design.starts))] * 2)
    X = np.linalg.qr(design.X)[0]
    coding = 2 * np.log(np.abs(np.diag(np.linalg.qr(design.X)[1]))).sum()

    def dense(a, b):
        V = np.eye(len(X)) + same * (a**2 + b**2 * np.outer(design.Z[:, 1], design.Z[:, 1]))
        Vi = np.linalg.inv(V)
        information = X.T @ Vi @ X
        r = design.y - X @ np.linalg.solve(information, X.T @ Vi @ design.y)
        df = len(X) - X.shape[1]
        log_det = np.linalg.slogdet(V)[1] + np.linalg.slogdet(information)[1] + coding
        return log_det + df * (1 + np.log(2 * np.pi * (r @ Vi @ r) / df))

    sizes = np.append(0.0, np.geomspace(1e-2, 1e4, 13))
    elsewhere = [dense(a, b / origin) for a in sizes for b in sizes]
    assert min(elsewhere) > found.deviance
    # The grid has points in the basin of the optimum.
    assert min(elsewhere) < found.deviance + 10


def test_what_the_data_do_not_determine_is_named_and_nothing_else(simulate, make_cohort, make_design):
    """A subject is of one group, so effects of both groups never meet: their covariance is free, both variances not."""
    found = fit(make_design("y ~ t * g + (0 + g | id)", make_cohort(**simulate())))
    assert found.convergence.stop is Stop.FLAT
    assert found.convergence.message.startswith("The data do not determine the covariance of g[a] and g[b]. ")


def test_a_residual_variance_that_runs_to_zero_is_at_its_bound(make_cohort):
    """With one row a level only weights tell residuals from random effects, and here large ones vary more."""
    stream = np.random.default_rng(2)
    w = 10.0 ** stream.uniform(-2, 2, 40)
    columns = {"y": stream.normal(size=40) * w**0.2, "w": w}
    cohort = make_cohort(id=[f"s{i}" for i in range(40)], **columns)
    spec = LmmSpec(formula=parse_formula("y ~ 1 + (1 | id)"), weights="w")
    found = fit(build_design(spec, cohort))
    assert found.convergence.stop is Stop.BOUNDARY
    assert found.convergence.message.startswith("At the bound of zero: the residual variance")
    # In the limit rows are one sample of equal variance.
    limit = 39 * (1 + np.log(2 * np.pi * np.var(columns["y"], ddof=1))) + np.log(40)
    assert found.deviance == pytest.approx(limit, abs=1e-9)
