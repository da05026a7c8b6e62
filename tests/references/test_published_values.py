"""What the vignettes of flexmix print: EM values, stopped early, so that a maximum lies a little above them."""

import pytest

from harness.engines import solve
from harness.runs import read_cases

PRINTED = {
    "npreg__yn_rows_2_classes": (-642.5451, 9),
    "npreg__yn_groups_2_classes": (-561.5651, 9),
    "npreg__yp_rows_2_classes": (-440.6424, 5),
    "betablocker__deaths_3_classes": (-159.3605, 6),
    "patent__patents_3_classes": (-197.6753, 10),
}


@pytest.mark.parametrize("name", PRINTED)
def test_our_maximum_is_a_little_above_what_flexmix_prints(name):
    log_likelihood, n_parameters = PRINTED[name]
    (case,) = read_cases([name])
    ours = solve(case)
    values = {quantity.path: quantity.value for quantity in ours.reading("lcmm").quantities}
    # sigma's rule costs up to 0.0114 of a log-likelihood; what is printed has four digits.
    assert -5e-5 < values["log_likelihood"] - log_likelihood < 0.02
    assert values["n_parameters"] == n_parameters
    at_its_rule = {quantity.path: quantity.value for quantity in ours.reading("flexmix").quantities}
    # EM stopped at a relative change of 1e-6, 2.1e-3 short of its end for the Poisson model.
    assert at_its_rule["log_likelihood"] == pytest.approx(log_likelihood, abs=3e-3)
