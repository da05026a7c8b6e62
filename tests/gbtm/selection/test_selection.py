from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from harness.choosing import blrt, select_classes
from harness.errors import SpecError
from harness.gbtm.selection.criteria import CRITERIA
from harness.gbtm.selection.neighbours import FROM_SMALLER, with_neighbours

BEST_OF_FIVE = -3976.6540  # quadratic classes of ketamine_pure: this engine, every subject tried as a new class
NAMES = {"outcome": "score", "time": "week", "subject": "id", "order": 1}


@pytest.fixture(scope="module")
def selection(two_groups):
    return select_classes(two_groups, **NAMES, n_classes=range(1, 5), n_starts=20)


@pytest.fixture(scope="module")
def continuum(one_continuum):
    return select_classes(one_continuum, **NAMES, n_classes=range(1, 4), n_starts=20)


def test_the_table_has_every_model_and_the_smallest_criterion_chooses(selection):
    table = selection.table()
    assert list(table.index[:4]) == ["1 class", "2 classes", "3 classes", "4 classes"]
    assert list(selection.fits) == [1, 2, 3, 4]
    assert set(table.index[4:]) == set(selection.rivals)
    assert selection.best() == 2
    for criterion in CRITERIA:
        own = table[table["proper"] & ~table["is_rival"]]
        assert own[criterion].min() == own.loc[own["n_classes"] == selection.best(criterion), criterion].item()


def test_numbers_of_the_table_are_those_of_the_fits(selection):
    row, result = selection.table().loc["2 classes"], selection.fits[2]
    adequacy = result.adequacy()
    assert row["smallest_assigned"] == adequacy["subjects_assigned"].min()
    assert row["lowest_occ"] == adequacy["odds_of_correct_classification"].min()
    assert row["largest_mismatch"] == adequacy["mismatch"].abs().max()
    assert row["bic_subjects"] == pytest.approx(result.bic, rel=1e-14)
    assert row["bic_observations"] == pytest.approx(result.bic_observations, rel=1e-14)


def test_the_log_likelihood_never_falls_with_more_classes(selection, continuum):
    for one in (selection, continuum):
        reached = [result.log_likelihood for result in one.fits.values()]
        assert np.diff(reached).min() > -1e-6  # the tolerance of two ends that are one


def test_a_rival_is_on_the_likelihood_scale_of_the_classes(continuum, one_continuum):
    estimates = continuum.rivals["1 class + random intercept and slope"].estimates
    week = np.arange(5.0)
    Z = np.column_stack([np.ones(5), week])
    v11, v12, v22 = estimates.of_role("covariance")
    covariance = Z @ np.array([[v11, v12], [v12, v22]]) @ Z.T + estimates.sigma[0] ** 2 * np.eye(5)
    y = one_continuum.numeric["score"].reshape(60, 5)
    brute = multivariate_normal.logpdf(y, Z @ estimates.beta[0], covariance).sum()
    assert estimates.log_likelihood == pytest.approx(brute, rel=1e-10)  # rounding of 60 five-dimensional densities


def test_flags_say_that_one_continuum_beats_every_number_of_classes(continuum, selection):
    assert any("one-class mixed model" in flag and "beats every number" in flag for flag in continuum.flags)
    assert not any("beats every number" in flag for flag in selection.flags)
    assert any("fit more classes" in flag for flag in continuum.flags)


def test_the_summary_shows_all_models_and_what_they_say(selection):
    text = selection.summary()
    assert all(name in text for name in selection.table().index)
    assert all(flag in text for flag in selection.flags)
    assert "none of them can tell that classes are real" in text


def test_a_neighbour_leads_away_from_a_poor_end(four_classes, five_at_a_poor_end):
    poor = five_at_a_poor_end
    assert poor.log_likelihood < BEST_OF_FIVE - 0.4
    found, gains = with_neighbours({4: four_classes, 5: poor})
    assert found[5].log_likelihood >= BEST_OF_FIVE - 1e-4
    assert gains == {5: pytest.approx(found[5].log_likelihood - poor.log_likelihood)}
    # The account of the search that missed it is kept.
    assert found[5].fit.starts.kinds == ("given", FROM_SMALLER)
    assert found[5].fit.starts.log_likelihood[0] == poor.log_likelihood
    assert found[5].fit.hit_rate == 0.5
    assert found[5].estimates.log_likelihood == found[5].fit.log_likelihood


def test_neighbours_of_good_optima_change_nothing(fits):
    found, gains = with_neighbours(fits)
    assert gains == {}
    assert all(found[K] is fits[K] for K in fits)


def test_the_figure_has_a_panel_for_each_number_of_classes(selection):
    panels = [axes for axes in selection.plot().axes if axes.has_data()]
    assert [axes.get_title().split(",")[0] for axes in panels] == ["1 class", "2 classes", "3 classes", "4 classes"]


def test_models_with_risk_factors_can_be_tested_from_one_class_on(two_groups):
    risk = np.repeat(np.random.default_rng(1).standard_normal(48), 4)
    with_risk = replace(two_groups, numeric=two_groups.numeric | {"risk": risk})
    chosen = select_classes(with_risk, **NAMES, n_classes=(1, 2), membership="risk", n_starts=10, rival=False)
    assert chosen.fits[2].estimates.n_parameters == 7
    assert blrt(chosen.fits[1], chosen.fits[2], replicates=2, n_starts=2).p == 1 / 3


def test_sampling_weights_are_named_as_what_makes_criteria_rough(two_groups):
    weighted = replace(two_groups, numeric=two_groups.numeric | {"w": np.repeat(np.arange(1.0, 49), 4)})
    chosen = select_classes(weighted, **NAMES, n_classes=(1, 2), weights="w", n_starts=10, rival=False)
    assert "pseudo-likelihood" in chosen.flags[-1]
    with pytest.raises(SpecError, match="sampling weights"):
        blrt(chosen.fits[1], chosen.fits[2])


def test_orders_can_be_given_for_each_number_of_classes(two_groups):
    settings = NAMES | {"order": {1: (1,), 2: (1, 0)}, "n_classes": (1, 2)}
    chosen = select_classes(two_groups, **settings, n_starts=10, rival=False)
    assert sorted(chosen.fits[2].orders) == [0, 1]
    assert chosen.rivals == {}


def test_all_problems_of_a_selection_are_told_at_once(two_groups):
    with pytest.raises(SpecError, match="2 problems") as caught:
        select_classes(two_groups, **NAMES, n_classes=(0, "two"))
    assert [problem.found for problem in caught.value.problems] == ["0 classes", "'two' classes"]
    with pytest.raises(SpecError, match="expected 2 orders"):
        select_classes(two_groups, **NAMES | {"order": {2: (1,)}}, n_classes=(2,))
    with pytest.raises(SpecError, match="49 classes for 48 subject"):
        select_classes(two_groups, **NAMES, n_classes=(1, 49))


def test_an_unknown_criterion_is_refused(selection):
    with pytest.raises(SpecError, match="one of aic, bic_subjects"):
        selection.best("bic")
