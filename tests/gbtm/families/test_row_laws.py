"""Means and draws of every family against its own density, and what a family refuses."""

import numpy as np
import pytest

from harness.gbtm.families.build import row_family

# Outcomes with their weights: all counts, or nodes of Gauss-Legendre quadrature; limits of the censored normal weigh 1.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)
COUNTS = np.arange(120.0)
SHARES = 1 / (1 + np.exp(-30 * NODES))  # equally spaced log-odds, so that the singularities at 0 and 1 are far
SUPPORTS = {
    "gaussian": (60 * NODES, 60 * WEIGHTS, {}),
    "censored_normal": (
        np.concatenate([[-1.0], 0.5 + 1.5 * NODES, [2.0]]),
        np.concatenate([[1.0], 1.5 * WEIGHTS, [1.0]]),
        {"limits": (-1.0, 2.0)},
    ),
    "logit": (np.arange(10.0), np.ones(10), {"trials": np.full(10, 9.0)}),
    "poisson": (COUNTS, np.ones(120), {}),
    "zip": (COUNTS, np.ones(120), {}),
    "beta": (SHARES, 30 * WEIGHTS * SHARES * (1 - SHARES), {}),
}
PREDICTORS = [(0.7, 0.4), (-0.9, 1.2)]


def law(family, eta, zeta):
    """Outcomes, their probabilities, and the family on one row a outcome."""
    outcomes, weights, more = SUPPORTS[family]
    rows = row_family(family, outcomes, **more)
    density = np.exp(rows.log_density(np.full(len(outcomes), eta), np.array([zeta])))
    return rows, outcomes, density * weights


@pytest.mark.parametrize("predictors", PREDICTORS)
@pytest.mark.parametrize("family", SUPPORTS)
def test_densities_sum_to_one_and_the_mean_is_their_first_moment(family, predictors):
    rows, outcomes, chance = law(family, *predictors)
    # Beyond log-odds of 30 a beta law still has a mass of about exp(-30 b) = 4e-7; else quadrature is exact.
    rel = 1e-6 if family == "beta" else 1e-12
    assert chance.sum() == pytest.approx(1, rel=rel)
    eta, zeta = np.full(len(outcomes), predictors[0]), np.array([predictors[1]])
    assert rows.mean(eta, zeta)[0] == pytest.approx(chance @ outcomes, rel=rel)


@pytest.mark.parametrize("predictors", PREDICTORS)
@pytest.mark.parametrize("family", SUPPORTS)
def test_draws_have_the_moments_of_the_density(family, predictors):
    rows, outcomes, chance = law(family, *predictors)
    repeats = 20_000 // len(outcomes)
    eta, zeta = np.full((repeats, len(outcomes)), predictors[0]), np.array([predictors[1]])
    draws = rows.simulate(eta, zeta, np.random.default_rng(8))
    assert draws.shape == eta.shape
    for power in (1, 2):
        moment, second = chance @ outcomes**power, chance @ outcomes ** (2 * power)
        standard_error = np.sqrt((second - moment**2) / draws.size)
        # Seeded; 4 standard errors are passed by chance once in 16 000.
        assert np.mean(draws**power) == pytest.approx(moment, abs=4 * standard_error), power


def test_draws_of_a_censored_normal_stand_at_its_limits_as_often_as_these_have_mass():
    rows, outcomes, chance = law("censored_normal", 0.7, 0.4)
    draws = rows.simulate(np.full((200, len(outcomes)), 0.7), np.array([0.4]), np.random.default_rng(8))
    for limit, share in ((-1.0, chance[0]), (2.0, chance[-1])):
        assert np.mean(draws == limit) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / draws.size))


def test_the_mean_of_a_censored_normal_has_one_limit_where_the_other_is_infinite():
    # max(0, Z) of a standard normal Z has the mean phi(0).
    rows = row_family("censored_normal", np.array([np.nan]), limits=(0.0, np.inf))
    assert rows.mean(np.zeros(1), np.zeros(1))[0] == pytest.approx(1 / np.sqrt(2 * np.pi), rel=1e-15)


@pytest.mark.parametrize(
    ("family", "y", "more", "complaints"),
    [
        (
            "poisson",
            [1, -2, np.nan, 2.5, -4],
            {},
            ["a negative count in 2 row(s): 2 (-2), 5 (-4)", "not whole in 1 row"],
        ),
        ("zip", [np.inf, 0], {}, ["an infinite count in 1 row(s): 1 (inf)"]),
        ("beta", [0.5, 0, 1, np.nan], {}, ["0 or less in 1 row(s): 2 (0)", "1 or more in 1 row(s): 3 (1)"]),
        ("gaussian", [0.5, -np.inf], {}, ["an infinite outcome in 1 row(s): 2 (-inf)"]),
        ("logit", [0, 1, 2, -1], {}, ["a negative outcome", "more successes than trials in 1 row(s): 3 (2)"]),
        ("logit", [0.5, np.nan], {}, ["not whole in 1 row(s): 1 (0.5)"]),
        (
            "logit",
            [1, 1, 1, 1, np.nan],
            {"trials": np.array([0.0, 1.5, np.nan, 3.0, np.nan])},
            ["trials in 3 row(s): 1 (0), 2 (1.5), 3 (nan)", "more successes than trials in 1 row(s): 1 (1)"],
        ),
        (
            "censored_normal",
            [-1, 0, 22, np.nan, np.inf],
            {"limits": (0.0, 21.0)},
            [
                "an infinite outcome",
                "below the lower limit in 1 row(s): 1 (-1)",
                "above the upper limit in 1 row(s): 3",
            ],
        ),
        ("censored_normal", [2], {"limits": (3.0, 3.0)}, ["a lower limit that is not below", "below the lower limit"]),
        ("poisson", [-1] * 7, {}, ["in 7 row(s): 1 (-1), 2 (-1), 3 (-1), 4 (-1), 5 (-1), ..."]),
    ],
)
def test_outcomes_that_a_family_cannot_have_are_listed_by_row(family, y, more, complaints):
    found = list(row_family(family, np.array(y, dtype=float), **more).problems())
    assert len(found) == len(complaints)
    for problem, complaint in zip(found, complaints, strict=True):
        assert complaint in str(problem)


@pytest.mark.parametrize("family", SUPPORTS)
def test_outcomes_that_a_family_can_have_are_not_complained_of_and_work_for_starts(family):
    outcomes, _, more = SUPPORTS[family]
    rows = row_family(family, outcomes, **more)
    assert list(rows.problems()) == []
    assert np.isfinite(rows.working_outcome()).all()


@pytest.mark.parametrize(("family", "within"), [("gaussian", 0.05), ("zip", 0.2), ("beta", 0.1)])
def test_second_parameters_to_begin_with_are_near_the_law(family, within):
    zeta = np.array([-0.6, 0.5])[:, None]
    mean = np.array([1.1, -0.2])[:, None]
    eta = np.repeat(mean, 4000, axis=1)
    made = row_family(family, np.full(4000, np.nan)).simulate(eta, zeta, np.random.default_rng(2))
    weights = np.random.default_rng(3).uniform(0, 1, (1, 2, 4000))
    for g, y in enumerate(made):
        # Both classes are asked about the rows of one: the other's answer is not looked at.
        found = row_family(family, y).rough_second(eta[None], weights)
        assert found.shape == (1, 2)
        # About four standard errors of 2000 rows.
        assert found[0, g] == pytest.approx(zeta[g, 0], abs=within)


@pytest.mark.parametrize(
    ("family", "y", "trials", "expected"),
    [
        ("gaussian", 2.5, None, 2.5),
        ("censored_normal", 2.5, None, 2.5),
        ("logit", 3.0, np.array([4.0]), np.log(3.5 / 1.5)),
        ("poisson", 2.0, None, np.log(2.5)),
        ("zip", 0.0, None, np.log(0.5)),
        ("beta", 0.8, None, np.log(4)),
    ],
)
def test_working_outcomes_are_on_the_scale_of_eta(family, y, trials, expected):
    rows = row_family(family, np.array([y]), trials=trials)
    assert rows.working_outcome()[0] == pytest.approx(expected, rel=1e-14)


def test_draws_of_a_beta_law_that_rounds_to_its_ends_stay_within():
    rows = row_family("beta", np.full(300, np.nan))
    draws = rows.simulate(np.zeros(300), np.array([-8.0]), np.random.default_rng(1))
    assert draws.min() > 0
    assert draws.max() < 1
    assert draws.min() < 1e-300 < 1 - 1e-12 < draws.max()


def test_a_family_with_a_second_parameter_asks_for_it():
    with pytest.raises(TypeError, match="zeta is None"):
        row_family("gaussian", np.zeros(2)).log_density(np.zeros(2), None)
