"""Predictions, leverage and residuals beside those of lme4 and nlme on the same panel, fitted by each engine."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.cohorts.frames import cohort_from_frame
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.diagnostics.columns import signal_at_modes
from harness.lmm.diagnostics.influence import leverage
from harness.lmm.diagnostics.residuals import residuals
from harness.lmm.engine import fitted
from harness.lmm.prediction.modes import modes
from harness.lmm.prediction.predict import predict
from harness.lmm.prediction.predictor import predictor
from harness.lmm.prediction.simulation import simulate
from harness.lmm.spec import LmmSpec

pytestmark = pytest.mark.needs_r("lme4", "nlme")
SCRIPT = Path(__file__).with_name("predictions.R")
# R's searches work without derivatives: covariances are good to about 1e-6, modes and means to a tenth of that.
VARIANCES = {"rtol": 1e-5}
MEANS = {"rtol": 1e-6}


def panel():
    """Return 30 subjects in 2 arms, up to 4 visits each, by one of 5 raters; sorted by subject and time."""
    stream = np.random.default_rng(41)
    subject, visit = np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30)
    rater, t = stream.integers(0, 5, 120), visit + 0.3 * stream.random(120)
    b, c, r = stream.standard_normal((30, 2)), stream.standard_normal(5), stream.standard_normal(120)
    y = 20 - t + (subject % 2) * t + 1.5 * b[subject, 0] + 0.8 * b[subject, 1] * t + c[rater] + r
    frame = pd.DataFrame(
        {
            "id": [f"s{i:02d}" for i in subject],
            "rater": [f"r{i}" for i in rater],
            "g": ["b" if i % 2 else "a" for i in subject],
            "visit": [f"v{i}" for i in visit],
            "t": t,
            "w": stream.random(120) + 0.5,
            "y": y,
        }
    )
    return frame[stream.random(120) < 0.85].reset_index(drop=True)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    path = tmp_path_factory.mktemp("panel") / "panel.csv"
    panel().to_csv(path, index=False)
    run = subprocess.run(
        ["Rscript", "--vanilla", str(SCRIPT), str(path)], capture_output=True, text=True, timeout=100, check=True
    )
    return {line.split()[0]: np.array(line.split()[1:], dtype=float) for line in run.stdout.splitlines()}


def ours(formula, weights=None):
    spec = LmmSpec(formula=parse_formula(formula), weights=weights)
    design = build_design(spec, cohort_from_frame(panel(), subject="id"))
    _, estimates = fitted(design)
    return predictor(spec, design, estimates), design, estimates


def test_one_grouping_factor_with_weights_is_predicted_as_by_lme4(theirs):
    ready, design, estimates = ours("y ~ t * g + (1 + t | id)", "w")
    new = pd.DataFrame({"id": ["s03", "s03", "new"], "g": "b", "t": [0.5, 9, 2], "w": 1.0})
    np.testing.assert_allclose(predict(ready, new).mean.value, theirs["one.mean"], **MEANS)
    np.testing.assert_allclose(predict(ready, new, of="population").mean.value, theirs["one.population"], **MEANS)
    found = modes(ready.distribution, ready.fitted, 0, design.n_subjects)
    scale = np.sqrt(np.diag(ready.distribution.random_cov[0]))
    np.testing.assert_allclose(found.modes / scale, theirs["one.modes"].reshape(2, -1).T / scale, rtol=0, atol=1e-5)
    expected = theirs["one.conditional"].reshape(-1, 2, 2)
    np.testing.assert_allclose(
        found.conditional_cov / np.outer(scale, scale), expected / np.outer(scale, scale), atol=1e-5
    )
    np.testing.assert_allclose(predict(ready).mean.variance, theirs["one.variance"], **VARIANCES)
    np.testing.assert_allclose(leverage(ready.distribution, ready.fitted).overall, theirs["one.leverage"], **VARIANCES)
    own = residuals(ready.distribution, ready.fitted, signal_at_modes(design, estimates))
    np.testing.assert_allclose(own.pearson, theirs["one.pearson"], atol=1e-5)


def test_crossed_factors_are_predicted_as_by_lme4(theirs):
    ready, *_ = ours("y ~ t * g + (1 | id) + (1 | rater)")
    found = predict(ready)
    np.testing.assert_allclose(found.mean.value, theirs["two.mean"], **MEANS)
    np.testing.assert_allclose(found.mean.variance, theirs["two.variance"], **VARIANCES)
    np.testing.assert_allclose(leverage(ready.distribution, ready.fitted).overall, theirs["two.leverage"], **VARIANCES)


def test_an_unstructured_covariance_whitens_as_in_nlme(theirs):
    """nlme takes another root of V than the Cholesky factor: the sum of squares of each subject is the same."""
    ready, design, estimates = ours("y ~ visit * g + us(visit | id)")
    np.testing.assert_allclose(predict(ready, of="population").mean.value, theirs["us.population"], **MEANS)
    own = residuals(ready.distribution, ready.fitted, signal_at_modes(design, estimates))
    sums = np.add.reduceat(own.whitened**2, design.starts[:-1])
    # nlme's search stops where the criterion is flat to about 1e-8: parameters are good to its root.
    np.testing.assert_allclose(sums, theirs["us.normalized"], rtol=1e-4)


def test_random_effects_beside_an_autoregression_are_predicted_as_by_nlme(theirs):
    ready, *_ = ours("y ~ t * g + (1 | id) + ar1(visit | id)")
    np.testing.assert_allclose(predict(ready).mean.value, theirs["both.mean"], rtol=1e-5)


def test_draws_have_the_moments_of_lme4s(theirs):
    ready, design, _ = ours("y ~ t * g + (1 | id) + (1 | rater)")
    draws = simulate(ready.distribution, ready.fitted, seed=2, replicates=2000)
    n, variance = design.n_observations, draws.var(axis=0, ddof=1)
    z_mean = (draws.mean(axis=0) - theirs["two.simulated.mean"]) / np.sqrt(2 * variance / 2000)
    z_variance = (variance / theirs["two.simulated.variance"] - 1) / np.sqrt(4 / 2000)
    # 2n numbers from two samples: 4.5 standard errors are passed by chance once in 1,500 pairs of seeds.
    assert n < 110
    assert max(np.abs(z_mean).max(), np.abs(z_variance).max()) < 4.5
