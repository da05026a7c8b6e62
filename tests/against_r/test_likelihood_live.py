"""Profiles, ratio tests and information criteria beside live R, on one panel with visits missed."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.fit import fit
from harness.lmm.likelihood.bootstrap_ratio import bootstrap_ratio_fit
from harness.lmm.likelihood.criteria import Counts, information_criteria
from harness.lmm.likelihood.profile import profile_intervals
from harness.lmm.likelihood.ratio import ComparedModel, likelihood_ratio
from harness.lmm.spec import LmmSpec

pytestmark = [pytest.mark.needs_r("lme4"), pytest.mark.needs_r("nlme")]

NAMES = {
    ".sig01": "random.sd[intercept]",
    ".sig02": "random.correlation[t,intercept]",
    ".sig03": "random.sd[t]",
    ".sigma": "sigma",
    "(Intercept)": "fixed[intercept]",
    "t": "fixed[t]",
    "gb": "fixed[g[b]]",
    "t:gb": "fixed[t:g[b]]",
}


@pytest.fixture(scope="module")
def cohort():
    stream = np.random.default_rng(42)
    m, visits = 60, 5
    subject, t = np.repeat(np.arange(m), visits), np.tile(np.arange(visits, dtype=float), m)
    kept = (stream.random(m * visits) > 0.15) | (t == 0)
    effects = stream.multivariate_normal([0, 0], [[2.25, 0.3], [0.3, 0.49]], size=m)
    noise = stream.standard_normal(m * visits)
    y = 20 - t + 0.3 * t * (subject % 2) + effects[subject, 0] + effects[subject, 1] * t + noise
    subject, t, y = subject[kept], t[kept], y[kept]
    labels = tuple(f"s{i:02d}" for i in range(m))
    return Cohort(
        name="panel",
        subject="id",
        time=None,
        numeric={"t": t, "y": y},
        factors={"id": Factor(codes=subject, levels=labels), "g": Factor(codes=subject % 2, levels=("a", "b"))},
    )


@pytest.fixture(scope="module")
def told(cohort, tmp_path_factory):
    """Return what R says of the panel, by name."""
    table = tmp_path_factory.mktemp("likelihood") / "panel.csv"
    subject, arm = cohort.factors["id"], cohort.factors["g"]
    rows = zip(subject.codes, cohort.numeric["t"], arm.codes, cohort.numeric["y"], strict=True)
    lines = [
        f"{subject.levels[i]},{t!r},{arm.levels[g]},{y!r}"
        for i, t, g, y in ((i, float(t), g, float(y)) for i, t, g, y in rows)
    ]
    table.write_text("\n".join(["id,t,g,y", *lines]) + "\n", encoding="utf-8")
    command = [shutil.which("Rscript"), "--vanilla", Path(__file__).with_name("likelihood.R"), table]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    return {name: float(value) for name, value in (line.split() for line in ran.stdout.splitlines())}


@pytest.fixture(scope="module")
def models(cohort):
    found = {}
    formulas = {
        "full": "y ~ t * g + (1 + t | id)",
        "parallel": "y ~ t * g + (1 | id)",
        "pooled": "y ~ t + (1 + t | id)",
    }
    for name, formula in formulas.items():
        design = build_design(LmmSpec(formula=parse_formula(formula)), cohort)
        own = fit(design)
        found[name] = ComparedModel(name=name, design=design, fit=own, n_covariance=len(own.theta) + 1)
    return found


def test_profile_intervals_are_those_of_lme4_within_its_interpolation(told, models):
    found = {interval.parameter: interval for interval in profile_intervals(models["full"].design)}
    assert set(found) == set(NAMES.values())
    for theirs, ours in NAMES.items():
        ends = told[f"{theirs}@lower"], told[f"{theirs}@upper"]
        accuracy = 1e-3 * (ends[1] - ends[0]) / 2
        assert (found[ours].lower, found[ours].upper) == pytest.approx(ends, abs=accuracy), ours


def test_ratio_tests_are_those_of_anova(told, models):
    # R's optimiser stops up to 1e-7 above the minimum.
    for name, pair, refit in (
        ("anova.fixed", ("pooled", "full"), True),
        ("anova.random", ("parallel", "full"), True),
        ("anova.random.reml", ("parallel", "full"), False),
    ):
        (test,) = likelihood_ratio([models[one] for one in pair], fit, refit=refit).tests
        assert test.chi_square == pytest.approx(told[name], abs=1e-6), name


def test_information_criteria_are_those_of_both_engines(told, models):
    full = models["full"]
    counts = Counts(
        criterion="REML",
        deviance=full.fit.deviance,
        n_observations=full.design.n_observations,
        n_subjects=full.design.n_subjects,
        n_fixed=full.design.n_fixed,
        n_covariance=full.n_covariance,
    )
    ours = {(one.engine.split(",")[0], one.name): one.value for one in information_criteria(counts)}
    for engine in ("lme4", "nlme"):
        for name in ("AIC", "BIC"):
            # nlme's default search stops up to 1e-5 above the minimum.
            assert ours[engine, name] == pytest.approx(told[f"{engine}.{name}"], abs=1e-4), (engine, name)


@pytest.mark.needs_r("pbkrtest")
def test_the_bootstrapped_ratio_test_agrees_with_pbmodcomp(told, models):
    ours = bootstrap_ratio_fit(models["pooled"].design, models["full"].design, seed=7, replicates=200)
    p = (ours.p + told["PBmodcomp.p"]) / 2
    standard_error = np.sqrt(p * (1 - p) * (1 / 100 + 1 / 200))
    assert abs(ours.p - told["PBmodcomp.p"]) < 4 * standard_error
