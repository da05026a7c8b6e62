import numpy as np
import pytest

from harness.choosing import vuong_lo_mendell_rubin
from harness.errors import SpecError
from harness.gbtm.mixture import derivatives
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.selection.vuong import WARNING, reference_weights


def test_nested_models_with_information_equal_to_the_variance_of_scores_give_chi_square():
    # Then Vuong's weights are 1 for each parameter that the larger model has more, and 0 for all others.
    scores = np.random.default_rng(1).standard_normal((5, 200))
    information = scores @ scores.T
    weights = reference_weights((scores, information), (scores[:3], information[:3, :3]))
    assert weights == pytest.approx([1, 1, 0, 0, 0, 0, 0, 0], abs=1e-12)


def test_weights_are_the_eigenvalues_of_vuongs_matrix(fits, pair_of):
    pair = pair_of(1)
    found = []
    for fit, design in ((pair.larger, pair.larger_design), (pair.smaller, pair.smaller_design)):
        own = derivatives(fit.vector[None], design.mixture_of(fit.class_kinds))
        found.append((own.scores[0], own.information[0]))
    (s_f, H_f), (s_g, H_g) = found
    W = np.block(
        [
            [s_f @ s_f.T @ np.linalg.inv(H_f), s_f @ s_g.T @ np.linalg.inv(H_g)],
            [-s_g @ s_f.T @ np.linalg.inv(H_f), -s_g @ s_g.T @ np.linalg.inv(H_g)],
        ]
    )
    eigenvalues = np.linalg.eigvals(W)
    assert np.abs(eigenvalues.imag).max() < 1e-6  # real but for rounding, as the theorem says
    assert np.sort(eigenvalues.real)[::-1] == pytest.approx(vuong_lo_mendell_rubin(fits[1], fits[2]).weights, abs=1e-6)


def test_the_test_is_the_same_in_other_units(two_groups, make_panel, spec_of, fits):
    y = two_groups.numeric["score"].reshape(48, 4)
    other = {K: fit_gbtm_cohort(spec_of((1,) * K), make_panel(100 - 7 * y, 4)) for K in (1, 2)}
    here, there = vuong_lo_mendell_rubin(fits[1], fits[2]), vuong_lo_mendell_rubin(other[1], other[2])
    assert there.statistic == pytest.approx(here.statistic, rel=1e-8)
    assert there.weights == pytest.approx(here.weights, abs=1e-6)
    assert there.p == pytest.approx(here.p, abs=1e-6)


def test_the_adjusted_statistic_is_that_of_lo_mendell_and_rubin(fits):
    found = vuong_lo_mendell_rubin(fits[1], fits[2])
    assert found.df == 3
    assert found.adjusted == pytest.approx(found.statistic / (1 + 1 / (3 * np.log(48))), rel=1e-14)
    assert found.p < found.adjusted_p < 0.01
    assert WARNING in found.summary()
    assert "mean" in found.summary()


def test_models_that_do_not_differ_by_one_class_are_refused(fits, spec_of, two_groups):
    with pytest.raises(SpecError, match="models of 1 and 3 classes"):
        vuong_lo_mendell_rubin(fits[1], fits[3])
    weighted = fit_gbtm_cohort(spec_of((1, 1), sigma="class"), two_groups)
    with pytest.raises(SpecError, match="differ in more than classes"):
        vuong_lo_mendell_rubin(fits[1], weighted)
    with pytest.raises(SpecError, match="all classes of the smaller one"):
        vuong_lo_mendell_rubin(fits[1], fit_gbtm_cohort(spec_of((0, 0)), two_groups))
    with pytest.raises(SpecError, match="two fits of fit_gbtm"):
        vuong_lo_mendell_rubin(fits[1], "fit")
