"""Information criteria against the engines whose conventions they follow, on a panel of 1,023 rows of 209 subjects."""

import pytest

from harness.lmm.likelihood.criteria import Counts, information_criteria

# y ~ visit * arm, 12 fixed effects, with (1 + t | id) in lme4 1.1-31, nlme 3.1-162 and glmmTMB 1.1.5 (4 covariance
# parameters), and with cs(visit | id) in mmrm 0.3.18 (2): deviance, AIC, AICc where the engine has one, and BIC.
ENGINES = {
    ("lme4, glmmTMB", "REML", 4): (6246.55519956451, 6278.55519956451, None, 6357.44311581974),
    ("lme4, glmmTMB", "ML", 4): (6254.43885308848, 6286.43885308848, None, 6365.32676934371),
    ("nlme", "REML", 4): (6246.55519977677, 6278.55519977677, None, 6357.2543232811),
    ("nlme", "ML", 4): (6254.43885308848, 6286.43885308848, None, 6365.32676934371),
    ("nlme", "REML", 2): (6351.80960577331, 6379.80960577331, None, 6448.67133883959),
    ("mmrm", "REML", 2): (6351.80960577485, 6355.80960577485, 6355.82151053675, 6362.49427427878),
    ("mmrm", "ML", 2): (6360.77974356662, 6364.77974356662, 6364.79164832853, 6371.46441207055),
}


def criteria(counts, engine):
    return {found.name: found for found in information_criteria(counts) if found.engine == engine}


@pytest.mark.parametrize(("engine", "criterion", "n_covariance"), ENGINES, ids=str)
def test_each_engine_has_its_own_counts(engine, criterion, n_covariance):
    deviance, aic, aicc, bic = ENGINES[engine, criterion, n_covariance]
    counts = Counts(
        criterion=criterion,
        deviance=deviance,
        n_observations=1023,
        n_subjects=209,
        n_fixed=12,
        n_covariance=n_covariance,
    )
    found = criteria(counts, engine)
    assert found["AIC"].value == pytest.approx(aic, rel=1e-14)
    assert found["BIC"].value == pytest.approx(bic, rel=1e-14)
    if aicc is not None:
        assert found["AICc"].value == pytest.approx(aicc, rel=1e-14)


@pytest.mark.parametrize(("deviance", "q", "bic"), [(17.0, 11, 32.2), (27.1, 2, 29.9)])
def test_sas_counts_covariance_parameters_and_subjects_under_reml(deviance, q, bic):
    """A published output of PROC MIXED with 4 subjects, printed to one decimal."""
    counts = Counts(
        criterion="REML", deviance=deviance, n_observations=40, n_subjects=4, n_fixed=3, n_covariance=q + 1, bounded=1
    )
    assert round(criteria(counts, "SAS")["BIC"].value, 1) == bic


def test_sas_counts_fixed_effects_under_ml_and_mmrm_does_not():
    counts = Counts(criterion="ML", deviance=100.0, n_observations=50, n_subjects=10, n_fixed=3, n_covariance=2)
    assert criteria(counts, "SAS")["AIC"].penalty == 10
    assert criteria(counts, "mmrm")["AIC"].penalty == 4
    assert criteria(counts, "SAS")["AICc"].penalty == pytest.approx(10 * 50 / 44)
    assert criteria(counts, "mmrm")["AICc"].penalty == pytest.approx(4 * 47 / 44)


def test_the_formula_says_what_was_counted():
    counts = Counts(criterion="REML", deviance=100.0, n_observations=50, n_subjects=10, n_fixed=3, n_covariance=2)
    formulas = {(found.engine, found.name): found.formula for found in information_criteria(counts)}
    assert formulas["lme4, glmmTMB", "BIC"] == "deviance + k log n, k = 5 all parameters, n = 50 rows"
    assert formulas["nlme", "BIC"] == "deviance + k log n, k = 5 all parameters, n = 47 rows less fixed effects"
    assert formulas["SAS", "AIC"] == "deviance + 2 k, k = 2 covariance parameters off their bounds"
    assert formulas["mmrm", "BIC"] == "deviance + k log n, k = 2 covariance parameters, n = 10 subjects"


def test_a_correction_without_rows_left_is_infinite():
    counts = Counts(criterion="ML", deviance=10.0, n_observations=6, n_subjects=3, n_fixed=3, n_covariance=2)
    assert criteria(counts, "lme4, glmmTMB")["AICc"].value == float("inf")
    # SAS and mmrm take two rows more than parameters at least: n / (n - k - 1) is then k + 2.
    assert criteria(counts, "SAS")["AICc"].penalty == pytest.approx(2 * 5 * 7)
    assert criteria(counts, "mmrm")["AICc"].penalty == pytest.approx(2 * 2 * 4)
