import numpy as np
import pytest

from harness.choosing import blrt
from harness.errors import SpecError
from harness.gbtm.fit import fit
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.selection import bootstrap_ratio
from harness.gbtm.selection.adjacent import adjacent
from harness.gbtm.selection.bootstrap_ratio import _replicate, bootstrap_likelihood_ratio
from harness.gbtm.selection.processes import stream_of
from harness.gbtm.simulation import simulate


def test_p_counts_the_replicates_that_reach_the_statistic(fits):
    found = blrt(fits[2], fits[3], replicates=9, n_starts=5)
    assert found.statistic == pytest.approx(2 * (fits[3].log_likelihood - fits[2].log_likelihood), abs=1e-6)
    assert found.p == (1 + sum(ratio >= found.statistic for ratio in found.statistics)) / 10
    assert found.standard_error == pytest.approx(np.sqrt(found.p * (1 - found.p) / 9))
    assert (found.restarted, found.negative) == (0, 0)
    assert "2 against 3 classes" in found.summary()


def test_two_groups_are_found(fits):
    found = blrt(fits[1], fits[2], replicates=19, n_starts=5)
    assert found.p == 1 / 20
    assert found.statistic > found.critical_value


def test_the_result_is_the_same_for_any_number_of_workers(fits):
    one, two = (blrt(fits[1], fits[2], replicates=3, n_starts=1, workers=workers) for workers in (1, 2))
    assert one.statistics.tobytes() == two.statistics.tobytes()


def test_a_replicate_is_the_same_however_many_there_are(fits):
    few, more = (blrt(fits[1], fits[2], replicates=count, n_starts=3) for count in (2, 4))
    assert few.statistics.tobytes() == more.statistics[:2].tobytes()


def test_the_short_search_of_a_replicate_is_not_below_a_full_one(pair_of):
    pair = pair_of(2)
    for number in range(4):
        outcomes = simulate(pair.smaller, pair.smaller_design, stream_of(1, number))
        full = [fit(design.with_outcomes(outcomes)) for design in (pair.smaller_design, pair.larger_design)]
        ratio = 2 * (full[1].log_likelihood - full[0].log_likelihood)
        assert _replicate(pair, 1, 20, number).ratio >= ratio - 2e-3  # twice what counts as the same optimum


def test_a_ratio_below_zero_is_searched_again_and_counted(pair_of, monkeypatch):
    calls = []

    def fails_once(smaller, *arguments):
        calls.append(arguments)
        if len(calls) % 2:
            return bootstrap_ratio.End(vector=smaller.vector, log_likelihood=smaller.log_likelihood - 1)
        return search(smaller, *arguments)

    search = bootstrap_ratio.search_larger
    monkeypatch.setattr(bootstrap_ratio, "search_larger", fails_once)
    found = bootstrap_likelihood_ratio(pair_of(1), replicates=2, seed=1, n_starts=2, workers=1)
    assert (found.restarted, found.negative) == (2, 0)
    assert found.statistics.min() >= 0
    assert "In 2 of 2 replicates the larger model first ended below" in found.summary()


def test_p_values_are_about_uniform_where_the_smaller_model_is_true(make_panel, spec_of):
    stream = np.random.default_rng(6)
    found = []
    for seed in range(12):
        panel = make_panel(10 + stream.standard_normal((15, 1)), 1)
        results = [fit_gbtm_cohort(spec_of((0,) * K, n_starts=5), panel) for K in (1, 2)]
        pair = adjacent(*((one.fit, one.design) for one in results), "test", {})
        found.append(bootstrap_likelihood_ratio(pair, replicates=9, seed=seed, n_starts=0, workers=1).p)
    assert 0.3 < np.mean(found) < 0.8  # 0.55 of tenths, with a standard error of 0.08
    assert min(found) < 0.5 < max(found)


def test_a_better_optimum_of_the_data_is_used_and_told(four_classes, five_at_a_poor_end):
    found = blrt(four_classes, five_at_a_poor_end, replicates=1)
    assert found.statistic > 2 * (five_at_a_poor_end.log_likelihood - four_classes.log_likelihood) + 0.8
    assert "fit it again with more starts" in found.summary()


def test_all_that_is_wrong_is_told_at_once(fits):
    with pytest.raises(SpecError, match="4 problems") as caught:
        blrt(fits[1], fits[3], replicates=0, seed=-1, workers=1.5)
    found = [problem.found for problem in caught.value.problems]
    assert found == ["models of 1 and 3 classes", "replicates 0", "seed -1", "workers 1.5"]
