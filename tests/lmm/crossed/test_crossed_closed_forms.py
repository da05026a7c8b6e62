"""Published designs whose optimum is known to 15 digits and more.

Penicillin by REML and Machines are balanced and have closed forms; Penicillin by ML was solved numerically. All digits
come from 40-50 digit arithmetic and agree with tightly controlled lme4 1.1-31.
"""

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.convergence import Stop
from harness.lmm.crossed.estimation import estimate
from harness.lmm.crossed.fit import fit
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.table import coefficient_table

# Double precision of the criterion's own terms, a few thousand roundings.
DIGITS = 1e-12

PENICILLIN = "diameter ~ 1 + (1 | plate) + (1 | sample)"
CASES = {
    "penicillin ML": {
        "model": ("penicillin", PENICILLIN, "ML"),
        "criterion": 332.188348668500663,
        "theta": (1.53759353477208712, 3.21975379980421142),
        "sigma": 0.549932196434027157,
        "errors": (0.744595794926945457,),
    },
    "penicillin REML": {
        "model": ("penicillin", PENICILLIN, "REML"),
        "criterion": 330.860588991086454,
        "theta": (1.53967757298532916, 3.51241522358553152),
        "sigma": 0.54992313911782078,
        "errors": (0.808573390985486975,),
    },
    "machines": {
        "model": ("machines", "score ~ machine + (1 | worker)", "REML"),
        "criterion": 286.878201977718867,
        "theta": (5.14655208753336547 / 3.16164743334129892,),
        "sigma": 3.16164743334129892,
        "errors": (2.22931242092757964, 1.05388247778043297, 1.05388247778043297),
    },
    "machines nested": {
        "model": ("machines", "score ~ machine + (1 | worker/machine)", "REML"),
        "criterion": 215.687568008220518,
        "theta": (4.78105055865804921 / 0.9615766374187913, 3.72953841515588317 / 0.9615766374187913),
        "sigma": 0.9615766374187913,
        "errors": (2.48583021380219205, 2.17697547579714876, 2.17697547579714876),
    },
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, make_design):
    cohort, formula, criterion = request.param["model"]
    return request.param, make_design(formula, fixture_cohort(cohort), criterion)


def test_the_optimum_has_the_digits_of_the_exact_one(case):
    expected, design = case
    found = fit(design)
    assert found.convergence.stop is Stop.OPTIMUM
    assert found.deviance == pytest.approx(expected["criterion"], rel=DIGITS)
    np.testing.assert_allclose(found.theta, expected["theta"], rtol=DIGITS)
    assert found.sigma == pytest.approx(expected["sigma"], rel=DIGITS)
    errors = np.sqrt(np.diag(estimate(found, design).vcov))
    np.testing.assert_allclose(errors, expected["errors"], rtol=DIGITS)


def test_penicillin_has_the_conditional_variances_of_its_balanced_design(make_design):
    design = make_design(PENICILLIN, fixture_cohort("penicillin"), "ML")
    found = fit(design)
    plate, sample = estimate(found, design).random
    # In a complete 24 x 6 table V has four eigenspaces. With g = theta^2, the variance of an effect given y is
    # sigma^2 g (1 - g c (1/(1 + g c) (1 - 1/m) + 1/(1 + g c + h m) /m)), c rows a level, m levels, h, m the other's.
    a, b = found.theta**2
    for effects, g, h, c, m in ((plate, a, b, 6, 24), (sample, b, a, 24, 6)):
        inverse = (1 - 1 / m) / (1 + g * c) + 1 / (m * (1 + g * c + h * m))
        expected = found.sigma**2 * g * (1 - g * c * inverse)
        np.testing.assert_allclose(effects.modes_cov[:, 0, 0], expected, rtol=1e-12)
    # MixedModels.jl's tests, an optimiser's output that is right to about 5e-6.
    assert plate.modes_cov[0, 0, 0] == pytest.approx(0.07331356908917808, rel=1e-5)
    assert sample.modes_cov[0, 0, 0] == pytest.approx(0.04051591717427688, rel=1e-5)


def test_machines_by_worker_has_the_covariances_of_pinheiro_and_bates(make_design):
    design = make_design("score ~ machine + (0 + machine | worker)", fixture_cohort("machines"))
    found = fit(design)
    assert found.deviance == pytest.approx(208.311218316418382, rel=DIGITS)
    (worker,) = estimate(found, design).random
    sds = np.sqrt(np.diag(worker.cov))
    np.testing.assert_allclose(sds, (4.07928067975194995, 8.62529083424487443, 4.38947956644036912), rtol=DIGITS)
    correlations = (worker.cov / np.outer(sds, sds))[[1, 2, 2], [0, 0, 1]]
    expected = (0.802749892955228071, 0.622504681302598566, 0.770830942051269962)
    np.testing.assert_allclose(correlations, expected, rtol=DIGITS)
    errors = np.sqrt(np.diag(estimate(found, design).vcov))
    np.testing.assert_allclose(errors, (1.68071119573137553, 2.42085078402583882, 1.54009980436574545), rtol=DIGITS)


def test_nested_machines_have_the_degrees_of_freedom_of_the_analysis_of_variance(make_design):
    design = make_design("score ~ machine + (1 | worker/machine)", fixture_cohort("machines"))
    found = fit(design)
    tables = {
        method: coefficient_table(fixed_effects(found, design, method)) for method in ("satterthwaite", "kenward-roger")
    }
    for table in tables.values():
        # A balanced split plot: machines are tested against worker:machine, on (3 - 1)(6 - 1) degrees of freedom.
        np.testing.assert_allclose(table.df[1:], 10, rtol=1e-9)
    # lmerTest 3.1-3 with a tight fit, which has 9.999999414 in place of 10.
    assert tables["satterthwaite"].df[0] == pytest.approx(8.52169821236, rel=1e-6)
