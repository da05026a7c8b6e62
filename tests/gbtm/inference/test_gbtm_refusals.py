import numpy as np

from harness.trajectories import fit_gbtm


def test_parameters_without_a_maximum_are_named(never, separated):
    (sentence,) = [w for w in never.warnings if w.startswith("No standard error")]
    assert "class[1].beta[intercept], which have no maximum. profile_interval()" in sentence
    (sentence,) = [w for w in separated.warnings if w.startswith("No standard error")]
    assert "class[1].membership[intercept], class[1].membership[sign]" in sentence
    assert "and so of the class shares" in sentence


def test_a_singular_covariance_of_random_effects_is_named(family_table):
    noise = family_table.assign(noise=np.random.default_rng(3).standard_normal(len(family_table)))
    fit = fit_gbtm(noise, outcome="noise", time="week", subject="id", orders=(0,), random=0)
    assert fit.coefficients().query("role == 'covariance'")["standard_error"].isna().all()
    assert fit.coefficients().query("role == 'beta'")["standard_error"].notna().all()
    (sentence,) = [w for w in fit.warnings if w.startswith("No standard error")]
    assert "random.var(intercept)" in sentence


def test_a_regular_fit_has_nothing_to_refuse(family_fit):
    assert not [w for w in family_fit("gaussian").warnings if "standard error" in w]
