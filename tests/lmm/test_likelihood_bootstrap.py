"""The parametric bootstrap: refits against whole fits, R's intervals of given replicates, and exact distributions."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from harness.cohorts import fixture_cohort
from harness.convergence import Stop
from harness.errors import Problem, SpecError
from harness.formula import parse_formula
from harness.lmm.design import build_design, with_outcome
from harness.lmm.engine import fitted
from harness.lmm.estimation import estimate
from harness.lmm.fit import fit
from harness.lmm.likelihood.bootstrap import Bootstrap, bootstrap, bootstrap_fit
from harness.lmm.likelihood.bootstrap_ratio import bootstrap_ratio, bootstrap_ratio_fit
from harness.lmm.likelihood.draws import draws
from harness.lmm.likelihood.response import Refit, response_model
from harness.lmm.spec import LmmSpec

ENGINES = {
    "one factor": "(1 + t | id)",
    "crossed": "(1 | id) + (1 | site)",
    "residual structure": "ar1(visit | id)",
}


@pytest.fixture(scope="module")
def panel(simulate, make_cohort):
    columns = simulate(m=12, visits=4, seed=2)
    sites = [f"c{int(label[1:]) % 5}{int(t) % 2}" for label, t in zip(columns["id"], columns["t"], strict=True)]
    return make_cohort(
        **columns, site=sites, visit=[f"v{int(t)}" for t in columns["t"]], w=[1.0 + i % 2 for i in range(len(sites))]
    )


def replicates_of(values, estimate=0.4):
    values = np.asarray(values, dtype=float)
    return Bootstrap(
        names=("x",),
        estimates=np.array([estimate]),
        values=values[:, None],
        replicates=tuple(range(len(values))),
        stops=(Stop.OPTIMUM,) * len(values),
        refused={},
    )


@pytest.fixture(scope="module")
def weighted(simulate, make_cohort):
    """Visits missed at random, so many patterns, with weights; in the first the intercept varies least."""
    columns = simulate(m=25, sd=(0.3, 1.0), seed=11)
    cohort = make_cohort(**columns, w=[1.0 + i % 2 for i in range(len(columns["y"]))])
    spec = LmmSpec(formula=parse_formula("y ~ t * g + (1 + t | id)"), weights="w")
    return build_design(spec, cohort)


@pytest.mark.parametrize("formula", ["y ~ t * g + (1 + t | id)", "y ~ t + (1 + t || id)", "y ~ 1 + (1 | id)"])
@pytest.mark.parametrize("criterion", ["ML", "REML"])
def test_a_refit_is_the_fit_of_that_outcome(simulate, make_cohort, make_design, formula, criterion):
    design = make_design(formula, make_cohort(**simulate(m=25, seed=11)), criterion)
    check_refits(design)


def test_a_refit_with_weights_is_the_fit_of_that_outcome(weighted):
    check_refits(weighted)


def check_refits(design):
    found = fit(design)
    model, draw = response_model(design, found), draws(design, estimate(found, design), seed=2)
    for y in (design.y, draw(0), draw(1), 1e3 + 1e-2 * draw(2)):
        refitted, whole = model.refit(y), fit(with_outcome(design, y))
        assert refitted.deviance == pytest.approx(whole.deviance, abs=1e-9)
        np.testing.assert_allclose(refitted.beta, whole.beta, rtol=1e-7, atol=1e-9)
        assert refitted.sigma == pytest.approx(whole.sigma, rel=1e-7)
        if whole.convergence.stop is Stop.OPTIMUM:
            np.testing.assert_allclose(refitted.theta, whole.theta, rtol=1e-6, atol=1e-7)
        assert refitted.stop is whole.convergence.stop


def test_replicates_do_not_depend_on_how_they_are_shared_out(weighted):
    found = fit(weighted)
    whole = bootstrap_fit(weighted, found, seed=5, replicates=12)
    parts = [bootstrap_fit(weighted, found, seed=5, replicates=part) for part in (range(7, 12), range(7))]
    joined = parts[0].joined(parts[1])
    np.testing.assert_array_equal(joined.values[np.argsort(joined.replicates)], whole.values)
    assert not np.array_equal(bootstrap_fit(weighted, found, seed=6, replicates=12).values, whole.values)
    with pytest.raises(SpecError, match="the same replicates"):
        whole.joined(parts[0])


# boot 1.3-28, boot.ci of 199 replicates frac(43758.5453 sin(12.9898 i)) with t0 = 0.4.
BOOT = {
    ("normal", 0.95): (-0.271401981837259, 0.889576487680146),
    ("basic", 0.95): (-0.173965854347625, 0.783329428709112),
    ("percentile", 0.95): (0.0166705712908879, 0.9739658543476253),
    ("normal", 0.90): (-0.178074669813175, 0.796249175656061),
    ("basic", 0.90): (-0.149057170468222, 0.755815369808988),
    ("percentile", 0.90): (0.0441846301910118, 0.9490571704682225),
    ("normal", 0.87): (-0.139349480112241, 0.757523985955128),
    ("basic", 0.87): (-0.134264113449899, 0.742781830643071),
    ("percentile", 0.87): (0.0572181693569291, 0.9342641134498990),
}


@pytest.mark.parametrize(("kind", "level"), BOOT, ids=str)
def test_intervals_of_given_replicates_are_those_of_boot(kind, level):
    waves = np.sin(np.arange(1, 200) * 12.9898) * 43758.5453
    (interval,) = replicates_of(waves - np.floor(waves)).intervals(level, kind)
    # The sine is multiplied by 4e4, so that 1e-16 in it is 1e-11 in its fraction.
    assert (interval.lower, interval.upper) == pytest.approx(BOOT[kind, level], abs=1e-9)


def test_too_few_replicates_for_the_level_are_refused():
    with pytest.raises(SpecError, match=r"38 usable replicates of x; expected 39 or more for level 0\.95"):
        replicates_of(np.arange(38.0)).intervals()
    (interval,) = replicates_of(np.arange(39.0)).intervals()
    assert (interval.lower, interval.upper) == (0, 38)
    with pytest.raises(SpecError, match=r"level 1\.5"):
        replicates_of(np.arange(39.0)).intervals(1.5)
    with pytest.raises(SpecError, match="kind 'bca'; expected one of percentile, basic, normal"):
        replicates_of(np.arange(39.0)).intervals(kind="bca")


def test_replicates_that_failed_are_counted_and_left_out():
    def refit(y):
        if y[0] == 1:
            raise SpecError("fit", [Problem(found="nothing", expected="something")])
        return y[0]

    found = bootstrap(
        100.0,
        draw=lambda replicate: np.array([float(replicate)]),
        refit=refit,
        statistic=lambda value: {"x": value, "missing": np.nan if value == 3 else value},
        stop_of=lambda value: {2: Stop.ITERATION_LIMIT, 4: Stop.SINGULAR}.get(value, Stop.OPTIMUM),
        replicates=range(100),
    )
    assert found.counts == Counter(
        {Stop.OPTIMUM: 97, Stop.ITERATION_LIMIT: 1, Stop.SINGULAR: 1, Stop.REPORTED_FAILURE: 1}
    )
    assert "expected something" in found.refused[1]
    assert np.isnan(found.values[[1, 2]]).all()
    first, second = found.intervals()
    assert (first.n_used, second.n_used) == (98, 97)
    assert first.bias == pytest.approx((4950 - 3) / 98 - 100)
    table = found.table()
    assert table.loc["missing", ["n_used", "lower"]].tolist() == [97, second.lower]


def test_a_balanced_panel_has_its_exact_bootstrap_distribution(make_design):
    """Closed form of sleepstudy: slopes of beta are normal with vcov, and sigma^2 is chi-square with 18 times 8 df."""
    design = make_design("reaction ~ days + (1 + days | subject)", fixture_cohort("sleepstudy"))
    found = fit(design)
    b = bootstrap_fit(design, found, seed=1, replicates=250)
    drawn = dict(zip(b.names, b.values.T, strict=True))
    # Standard error of the fit by its closed form. KS at 1e-3: fixed seeds, so no chance is left in the test.
    z = (drawn["fixed[days]"] - found.beta[1]) / 1.545788896294727
    assert kstest(z, "norm").pvalue > 1e-3
    singular = np.array([stop is Stop.SINGULAR for stop in b.stops])
    assert 0 < singular.sum() < 20
    ratio = 144 * (drawn["sigma"] / found.sigma) ** 2
    assert kstest(ratio[~singular], chi2(144).cdf).pvalue > 1e-3


def test_any_function_of_a_fit_can_be_bootstrapped(weighted):
    def share(found):
        G = found.random_cov
        return {"share": G[0, 0] / (G[0, 0] + found.sigma**2)}

    found = fit(weighted)
    b = bootstrap_fit(weighted, found, seed=1, replicates=50, statistic=share)
    (interval,) = b.intervals()
    G = found.sigma**2 * found.theta[0] ** 2
    assert interval.estimate == pytest.approx(G / (G + found.sigma**2))
    assert 0 <= interval.lower < interval.upper <= 1


@pytest.mark.parametrize("formula", [f"y ~ t * g + {part}" for part in ENGINES.values()], ids=[*ENGINES])
def test_draws_have_the_covariance_of_the_fit(panel, formula):
    """By the engine's own covariances: the mean square of whitened draws is 1 within five standard errors."""
    design = build_design(LmmSpec(formula=parse_formula(formula), weights="w"), panel)
    found, estimates = fitted(design)
    draw, squares = draws(design, estimates, seed=3), 0.0
    blocks = list(found.marginal_covariances(design))
    for replicate in range(60):
        residual = draw(replicate) - design.X @ found.beta
        squares += sum(residual[rows] @ np.linalg.solve(V, residual[rows]) for rows, V in blocks)
    n = 60 * design.n_observations
    assert abs(squares / n - 1) < 5 * np.sqrt(2 / n)


def test_a_bootstrapped_ratio_never_falls_and_counts_as_it_should(make_design, simulate, make_cohort):
    cohort = make_cohort(**simulate(m=12, visits=4, sd=(1.0, 0.0), seed=3))
    smaller, larger = (make_design(f"y ~ t * g + ({term} | id)", cohort) for term in ("1", "1 + t"))
    found = bootstrap_ratio_fit(smaller, larger, seed=4, replicates=99)
    used = found.statistics[np.isfinite(found.statistics)]
    assert len(used) == 99 - found.unused
    assert used.min() > -1e-8
    assert found.p == (1 + (used >= found.chi_square).sum()) / (1 + len(used))
    assert found.df == 2
    assert found.chi_square_p == pytest.approx(chi2.sf(found.chi_square, 2))
    assert found.bartlett_p == pytest.approx(chi2.sf(found.chi_square * 2 / used.mean(), 2))
    # On the bound the statistic is smaller than chi-square(2): by Stram and Lee its mean is 1.5.
    assert 1 < used.mean() < 2
    assert found.singular > 20


def test_a_bootstrapped_ratio_meets_both_models_rows(make_design, simulate, make_cohort):
    """The random slope sorts rows of the larger model by time; rows are given here in another order."""
    columns = simulate(m=20, seed=5)
    order = np.random.default_rng(1).permutation(len(columns["y"]))
    shuffled = make_cohort(**{name: [column[i] for i in order] for name, column in columns.items()})
    sorted_cohort = make_cohort(**columns)
    found = []
    for cohort in (shuffled, sorted_cohort):
        smaller, larger = (make_design(f"y ~ t + ({term} | id)", cohort) for term in ("1", "1 + t"))
        found.append(bootstrap_ratio_fit(smaller, larger, seed=4, replicates=20))
    assert found[0].chi_square == pytest.approx(found[1].chi_square, abs=1e-8)
    # The same distribution, though rows in another order meet other random numbers.
    assert abs(found[0].statistics.mean() - found[1].statistics.mean()) < 1.5
    assert found[0].statistics.min() > -1e-8


@pytest.mark.parametrize("part", [*ENGINES][1:])
def test_ratios_of_other_engines_are_bootstrapped_too(panel, make_design, part):
    smaller, larger = (make_design(f"y ~ {fixed} + {ENGINES[part]}", panel) for fixed in ("g", "t + g"))
    found = bootstrap_ratio_fit(smaller, larger, seed=4, replicates=19)
    used = found.statistics[np.isfinite(found.statistics)]
    assert (found.df, len(used)) == (1, 19 - found.unused)
    assert used.min() > -1e-8
    # Nobody's change over time is drawn under the smaller model, so that none comes near to what was seen.
    assert found.chi_square > 2 * used.max()
    assert found.p == 1 / (1 + len(used))


def test_a_ratio_without_a_usable_replicate_is_refused():
    failed = Refit(
        theta=np.zeros(1),
        beta=np.zeros(1),
        sigma=1.0,
        random_cov=np.zeros((1, 1)),
        deviance=0.0,
        stop=Stop.ITERATION_LIMIT,
    )
    with pytest.raises(SpecError, match="none of 3 replicates"):
        bootstrap_ratio(
            chi_square=1.0,
            df=1,
            draw=lambda replicate: np.array([float(replicate)]),
            refits=(lambda _: failed, lambda _: failed),
            replicates=range(3),
        )


def test_models_in_the_wrong_order_are_refused(make_design, uneven):
    smaller, larger = make_design("y ~ 1 + (1 | id)", uneven), make_design("y ~ t + (1 | id)", uneven)
    with pytest.raises(SpecError, match="expected the smaller one first"):
        bootstrap_ratio_fit(larger, smaller, seed=1, replicates=5)


@pytest.mark.parametrize("part", [*ENGINES][1:])
def test_other_engines_are_bootstrapped_through_their_own_fit(panel, make_design, part):
    design = make_design(f"y ~ t * g + {ENGINES[part]}", panel)
    found, estimates = fitted(design)
    b = bootstrap(
        found,
        draw=draws(design, estimates, seed=1),
        refit=lambda y: fitted(with_outcome(design, y))[0],
        statistic=lambda one: dict(zip(design.fixed_names, one.beta.tolist(), strict=True)),
        stop_of=lambda one: one.convergence.stop,
        replicates=range(40),
    )
    assert b.used.sum() >= 39
    errors = np.array([interval.standard_error for interval in b.intervals()])
    X = design.X
    vcov = np.linalg.inv(sum(X[r].T @ np.linalg.solve(V, X[r]) for r, V in found.marginal_covariances(design)))
    # A standard deviation of 40 draws is within a factor of 1 +- 4 / sqrt(2 x 39) = 0.45 of its expectation.
    np.testing.assert_allclose(errors / np.sqrt(np.diag(vcov)), 1, atol=0.45)
