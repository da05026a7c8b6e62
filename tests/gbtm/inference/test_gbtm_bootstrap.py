import numpy as np
import pandas as pd
import pytest

from harness.errors import SpecError
from harness.gbtm.fit import fit as search
from harness.gbtm.inference import resampling
from harness.gbtm.inference.alignment import agreement, matching_classes
from harness.gbtm.inference.bootstrap import Bootstrap, End
from harness.gbtm.inference.resampling import bootstrap, reweighted
from harness.gbtm.mixture import derivatives
from harness.gbtm.newton import climb
from harness.trajectories import fit_gbtm

SETTINGS = {"outcome": "score", "time": "week", "subject": "id", "n_starts": 6}


def repeated(table, counts):
    """Return the table with each subject as often as it counts, under labels of its own."""
    parts = []
    for (label, rows), count in zip(table.groupby("id"), counts, strict=True):
        parts += [rows.assign(id=f"{label}#{k}") for k in range(count)]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("model", [{"orders": (1, 1), "membership": "age"}, {"orders": (1, 0), "random": 0}])
def test_a_sample_of_subjects_as_weights_is_a_refit_of_repeated_rows(family_table, model):
    fit = fit_gbtm(family_table, **SETTINGS, **model)
    N = fit.design.n_subjects
    counts = np.random.default_rng(7).multinomial(N, np.full(N, 1 / N))
    own = reweighted(fit.design.with_kinds(fit.fit.class_kinds), counts)
    ends = climb(fit.fit.vector[None], own.mixture)
    weighted = own.mixture.to_user(ends.vectors[0])

    rows = fit_gbtm(repeated(family_table, counts), **SETTINGS, **model)
    again = search(rows.design, tuple(weighted.tolist()), fit.fit.class_kinds)
    assert ends.log_likelihood[0] == pytest.approx(again.log_likelihood, rel=1e-12)
    # Both are polished to 1e-9 standard errors; what is left is the rounding of two working units.
    np.testing.assert_allclose(weighted, again.point, rtol=1e-6, atol=1e-8)
    information = derivatives(ends.vectors, own.mixture).information[0]
    assert np.linalg.eigvalsh(information)[0] > 0


@pytest.fixture(scope="module")
def drawn(family_fit):
    return family_fit("poisson").bootstrap(45, seed=3)


def test_the_bootstrap_is_the_same_in_any_number_of_processes(family_fit, drawn):
    two = family_fit("poisson").bootstrap(12, seed=3, workers=2)
    np.testing.assert_array_equal(two.drawn, drawn.drawn[:12])
    assert two.ends == drawn.ends[:12]
    other = family_fit("poisson").bootstrap(2, seed=4)
    assert not np.array_equal(other.drawn, drawn.drawn[:2])


def test_every_reported_parameter_and_adequacy_has_an_interval(family_fit, drawn):
    fit = family_fit("poisson")
    table = drawn.table()
    paths = [path.removesuffix(".estimate") for path in fit.estimates.optimum_covariance().paths]
    assert table.index.tolist()[: len(paths)] == paths
    np.testing.assert_allclose(table.loc[paths, "estimate"], fit.coefficients()["estimate"])
    adequacy = fit.adequacy()
    for name in ("average_posterior", "odds_of_correct_classification", "mismatch"):
        own = [table.loc[f"class[{g}].{name}", "estimate"] for g in (1, 2)]
        np.testing.assert_allclose(own, adequacy[name])
    assert table.loc["entropy", "estimate"] == pytest.approx(fit.entropy)
    assert "a third of the subjects is in the wrong class" in drawn.remarks[-1]
    assert (table["lower"] <= table["upper"]).all()
    # 45 replicates know a standard error to 1 / sqrt(90) = 11 %: within four of these of the sandwich's.
    sandwich = fit.coefficients(standard_errors="sandwich")["standard_error"].to_numpy()
    assert np.all(np.abs(np.log(table.loc[paths, "standard_error"] / sandwich)) < 0.45)


@pytest.mark.parametrize("name", ["censored_normal", "logit", "zip", "beta", "random", "ar1", "by_visit"])
def test_every_family_is_bootstrapped_by_its_own_draws(family_fit, name):
    found = family_fit(name).bootstrap(4, kind="parametric")
    assert len(found.ends) == 4
    assert set(found.ends) <= set(End)
    used = found.drawn[found.used]
    assert np.isfinite(used[:, 0]).all()
    assert len(np.unique(used[:, 0])) == len(used) > 0


def test_intervals_are_order_statistics_or_normal_limits():
    values = np.arange(1.0, 40.0)
    drawn = np.column_stack([values, np.where(values > 35, np.inf, values)])
    found = Bootstrap(
        names=("a", "class[1].odds_of_correct_classification"),
        kind="parametric",
        seed=1,
        estimates=np.array([18.0, 20.0]),
        drawn=np.random.default_rng(0).permutation(drawn),
        ends=(End.OPTIMUM,) * 39,
        same_class=np.ones(39),
    )
    table = found.table()
    # (B + 1) 0.025 = 1 and (B + 1) 0.975 = 39: the smallest and the largest.
    assert table[["lower", "upper"]].to_numpy().tolist() == [[1.0, 39.0], [1.0, np.inf]]
    assert table.loc["a", "bias"] == pytest.approx(2.0)
    assert table["standard_error"].isna().tolist() == [False, True]
    normal = found.table(kind="normal")
    half = 1.959963984540054 * values.std(ddof=1)
    np.testing.assert_allclose(normal.loc["a", ["lower", "upper"]].astype(float), [16.0 - half, 16.0 + half])
    assert found.table(level=0.5).loc["a", "lower"] == 10.0
    with pytest.raises(SpecError, match="39 usable replicates; expected 199 or more"):
        found.table(level=0.99)
    with pytest.raises(SpecError, match="kind 'bca'"):
        found.table(kind="bca")


def test_replicates_that_lose_a_class_are_counted_and_left_out():
    """One subject alone makes a class: a sample without it has none."""
    stream = np.random.default_rng(6)
    score = stream.standard_normal((12, 4))
    score[0] += 30.0
    table = pd.DataFrame(
        {
            "id": np.repeat([f"p{i:02d}" for i in range(12)], 4),
            "week": np.tile(np.arange(4.0), 12),
            "score": score.ravel(),
        }
    )
    fit = fit_gbtm(table, **SETTINGS, orders=(0, 0))
    found = fit.bootstrap(40, seed=2)
    assert 0 < found.counts[End.OPTIMUM] < 40
    assert np.isnan(found.drawn[~found.used]).all()
    assert found.remarks[0].startswith(f"{40 - int(found.used.sum())} of 40 replicates are left out")


def test_classes_are_matched_by_the_subjects_they_hold():
    stream = np.random.default_rng(8)
    posterior = stream.dirichlet(np.full(3, 0.2), 50).T
    order = np.array([2, 0, 1])
    counts = np.ones(50, dtype=np.int64)
    np.testing.assert_array_equal(matching_classes(posterior[order], posterior, counts), order)
    assert agreement(posterior, posterior, counts) == 1.0
    assert agreement(posterior, posterior[order], counts) == 0.0


def test_settings_that_can_not_be_are_refused_together(family_fit):
    fit = family_fit("gaussian")
    with pytest.raises(SpecError) as refusal:
        bootstrap(fit.fit, fit.design, replicates=0, kind="wild", seed=-1, workers=0)
    assert len(refusal.value.problems) == 4


def test_a_fit_that_is_no_solution_of_its_classes_is_refused(family_table):
    noise = family_table.assign(score=np.random.default_rng(0).standard_normal(len(family_table)))
    fit = fit_gbtm(noise, **SETTINGS, orders=(0,) * 5)
    with pytest.raises(SpecError, match="expected a fit with as many classes as were asked for"):
        fit.bootstrap(2)


def test_a_sample_that_can_not_be_fitted_is_counted(family_fit, monkeypatch):
    def fails(*_):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(resampling, "climb", fails)
    found = family_fit("random").bootstrap(3)
    assert found.counts == {End.UNFINISHED: 3}
    assert np.isnan(found.drawn).all()
    assert "3 of 3 replicates are left out: 3 x no maximum was reached." in found.remarks
