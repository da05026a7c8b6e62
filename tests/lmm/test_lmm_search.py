"""Searches that end at the lowest minimum, and soon: panels like those that fuzzing found."""

import numpy as np
import pytest

from harness.convergence import Stop
from harness.counterexamples.file_format import read_counterexample_case
from harness.lmm.covariance import layout
from harness.lmm.design import build_design
from harness.lmm.engine import engine_of
from harness.lmm.fit import fit
from harness.locations import fixtures_folder

YEAR = 2000.0


def outcome(rng, level):
    """Return columns of three sites with five subjects each, three visits in calendar years, a level in sigmas."""
    site, subject, time = np.repeat(range(3), 15), np.repeat(range(15), 3), np.tile(np.arange(3.0), 15)
    y = level + 0.5 * time + rng.normal(size=3)[site] + rng.normal(size=15)[subject] + rng.normal(size=45)
    return {"id": [f"s{k}" for k in subject], "site": [f"c{k}" for k in site], "t": YEAR + time, "y": y}


@pytest.mark.parametrize("random", ["(1 | site/id)", "(1 | id)"])
def test_a_level_that_no_fixed_effect_holds_is_found_in_random_effects(make_cohort, make_design, random):
    """The minimum near the moments leaves the level to sigma, which is then several hundred times what it is."""
    level = 1e6
    design = make_design(f"y ~ 0 + t + {random}", make_cohort(**outcome(np.random.default_rng(5), level)), "ML")
    engine = engine_of(design)
    found = engine.fit(design)
    started = engine.fit(design, np.full(len(found.theta), level))
    assert started.sigma < 2
    assert found.deviance <= started.deviance + 1e-6


def test_search_does_not_creep_where_random_effects_are_a_million_sigmas(make_cohort, make_design):
    """The intercepts' curvature is then a million million times that of their direction beside the slopes."""
    rng = np.random.default_rng(4)
    subject, time = np.repeat(range(4), 4), np.tile([-3.0, 362.0, 727.0, 1092.0], 4)
    y = 1e6 + rng.normal(size=16)
    x = rng.normal(size=4)[subject]
    cohort = make_cohort(id=[f"s{k}" for k in subject], t=time, x=x, y=y)
    found = engine_of(design := make_design("y ~ 0 + t + x + (1 + t | id)", cohort, "ML")).fit(design)
    assert found.convergence.stop in {Stop.OPTIMUM, Stop.SINGULAR}
    assert found.convergence.iterations < 40
    assert found.convergence.distance < 1e-6


def test_a_criterion_that_no_variance_moves_is_flat_and_no_saddle(make_cohort, make_design):
    """One subject an arm: REML does not see the intercepts, and the curvature is the rounding of nothing."""
    cohort = make_cohort(
        id=["a"] * 3 + ["b"] * 4,
        arm=["four"] * 3 + ["six"] * 4,
        t=[1.0, 2.0, 5.0, 0.0, 2.0, 3.0, 4.0],
        y=[-9.999, -9.987, -10.012, -10.008, -10.0, -10.011, -9.996],
    )
    found = engine_of(design := make_design("y ~ t * arm + (1 | id)", cohort, "REML")).fit(design)
    assert found.convergence.stop is Stop.FLAT


def test_a_covariance_of_another_rank_is_found_without_moments():
    """No subject tells of all three random effects; one start at an identity ended 0.47 below the maximum."""
    case = read_counterexample_case(fixtures_folder() / "counterexamples" / "fuzzed_lmm__another_rank.json")
    design = build_design(case.spec, case.cohort)
    found = fit(design)
    starts = np.random.default_rng(1).normal(size=(12, 6)) * np.abs(found.theta).max()
    for start in (np.full(6, 0.7) * (layout((3,)).rows == layout((3,)).columns), *starts):
        assert found.deviance <= fit(design, start=start).deviance + 1e-8
