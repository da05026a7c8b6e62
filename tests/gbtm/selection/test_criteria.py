import math
from dataclasses import asdict

import numpy as np
import pytest

from harness.gbtm.selection.criteria import criteria, criteria_of


def test_criteria_are_those_that_lcmm_and_flexmix_print():
    # lcmm 2.2.2 and flexmix 2.3 on lcmm's data_hlme, Y ~ Time in 3 classes: 100 subjects, 326 rows, 9 parameters.
    found = criteria_of(-918.68276087, (9, 100, 326), (5.110217, 3.308752))
    assert found.aic == pytest.approx(1855.3655, abs=5e-5)
    assert found.bic_subjects == pytest.approx(1878.8121, abs=5e-5)
    assert found.bic_observations == pytest.approx(1889.4476, abs=5e-5)
    assert found.sabic == pytest.approx(1850.3878, abs=5e-5)
    assert found.icl1_lcmm == pytest.approx(1883.9223, abs=5e-5)
    assert found.icl == pytest.approx(1889.0325, abs=5e-5)
    assert found.classification_icl == pytest.approx(1882.1208, abs=5e-5)
    # flexmix's ICL counts rows, in the penalty that both have in common.
    assert found.classification_icl - found.bic_subjects + found.bic_observations == pytest.approx(1892.7563, abs=1e-4)


def test_criteria_of_a_fit_follow_from_its_posterior_in_loops(fits):
    estimates = fits[2].estimates
    EN = -sum(p * math.log(p) for row in estimates.posterior.tolist() for p in row if p > 0)
    M = -2 * sum(math.log(max(row)) for row in estimates.posterior.tolist())
    by_hand = criteria_of(estimates.log_likelihood, (6, 48, 192), (EN, M))
    for name, value in asdict(criteria(estimates)).items():
        assert value == pytest.approx(getattr(by_hand, name), rel=1e-13)  # rounding of sums of 96 terms


def test_one_class_is_certain_so_that_icl_is_bic(fits):
    found = criteria(fits[1].estimates)
    assert found.icl == found.classification_icl == found.icl1_lcmm == found.bic_subjects
    assert np.isfinite(found.icl)
