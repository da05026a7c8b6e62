import numpy as np
import pytest

from harness.errors import SpecError
from harness.trajectories import fit_gbtm


def test_a_simulated_table_has_the_visits_of_the_data_and_can_be_fitted(family_fit, family_table):
    fit = family_fit("gaussian")
    drawn = fit.simulate(seed=4)
    observed = family_table["score"].notna().to_numpy()
    assert len(drawn) == len(family_table)
    np.testing.assert_array_equal(drawn["score"].notna(), observed)
    np.testing.assert_array_equal(drawn["dose"], family_table["dose"])
    again = fit_gbtm(drawn, outcome="score", time="week", subject="id", orders=(1, 1), n_starts=4)
    assert again.design.n_observations == fit.design.n_observations


def test_a_replicate_is_the_same_however_many_there_are(family_fit):
    fit = family_fit("poisson")
    two, three = fit.simulate(2, seed=4), fit.simulate(3, seed=4)
    np.testing.assert_array_equal(two["events"], three["events"][: len(two)])
    assert three["replicate"].unique().tolist() == [1, 2, 3]
    assert not np.array_equal(three["events"][: len(two) // 2], three["events"][len(two) // 2 : len(two)])
    np.testing.assert_array_equal(fit.simulate(seed=4)["events"], two["events"][: len(two) // 2])


def test_means_of_many_replicates_are_those_of_the_classes(family_fit):
    fit = family_fit("zip")
    drawn = fit.simulate(200, seed=1)
    curves = fit.class_curves(np.arange(3.0), scale="response")["fitted"].to_numpy().reshape(2, -1)
    for week, expected in enumerate(fit.class_shares @ curves):
        values = drawn.loc[drawn["week"] == week, "events"]
        by_replicate = values.groupby(drawn["replicate"]).mean()
        assert abs(by_replicate.mean() - expected) < 4 * by_replicate.std() / np.sqrt(200)


def test_numbers_of_replicates_that_can_not_be_are_refused(family_fit):
    with pytest.raises(SpecError, match="0 replicates"):
        family_fit("poisson").simulate(0)


def test_counts_whose_mean_is_beyond_whole_numbers_are_refused(family_table):
    # One class for each exposure: a subject drawn into the other one has a mean of 1e30.
    days = np.where(family_table["id"] < "p030", 1e-15, 1e15)
    huge = family_table.assign(days=days, events=np.arange(len(days)) % 3)
    named = {"outcome": "events", "time": None, "subject": "id", "orders": (0, 0), "exposure": "days", "n_starts": 4}
    for family in ({"family": "poisson"}, {"family": "zip", "zero_orders": (-1, -1)}):
        fit = fit_gbtm(huge, **named, **family)
        with pytest.raises(SpecError, match="a mean count of 1e"):
            fit.simulate(seed=1)
