"""Fits over visits against live R: mmrm, nlme and glmmTMB; and against SAS on the data set of mmrm."""

from pathlib import Path

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.spec import LmmSpec
from harness.lmm.visits.fit import fit_visits
from harness.locations import r_source_folder
from harness.references.worker import RWorker

SOURCES = (r_source_folder() / "worker.R", Path(__file__).with_name("visits.R"))
NAMES = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")
# SAS PROC MIXED on mmrm's fev_data, FEV1 = ARMCD, as recorded in mmrm's repository (design/ddfm_covtype): estimate of
# TRT - PBO, its standard error by DDFM=KR and by DDFM=KR(LINEAR), and the df of both.
SAS = {
    "us": (3.819724922, 0.661243823, 0.661243823, 160.733266),
    "cs": (4.196636179, 0.796469605, 0.796469605, 177.038486),
    "csh": (3.770908125, 0.674148060, 0.674038582, 190.737701),
    "ar1": (4.225743158, 0.958654397, 0.960581423, 188.469349),
    "ar1h": (3.726743562, 0.759031610, 0.759248075, 188.225339),
    "toep": (4.470518606, 0.878398055, 0.878398055, 160.027408),
    "toeph": (3.922877462, 0.725438289, 0.725373245, 180.062730),
    "adh": (3.723440288, 0.661720173, 0.661585508, 162.393385),
}
# SAS stops where the criterion changes by 1e-8 of itself: up to 2e-5 above its minimum, and so much in the rest.
SAS_ERROR, SAS_DF = 2e-4, 5e-4


@pytest.fixture(scope="module")
def r():
    with RWorker(sources=SOURCES) as worker:
        yield worker


def cohort(y, t, visit, arm, subject):
    def levels(codes, prefix):
        return tuple(f"{prefix}{k}" for k in range(int(codes.max()) + 1))

    return Cohort(
        name="panel",
        subject="id",
        time=None,
        numeric={"y": np.asarray(y, dtype=float), "t": np.asarray(t, dtype=float)},
        factors={
            "visit": Factor(codes=visit, levels=levels(visit, "v")),
            "arm": Factor(codes=arm, levels=levels(arm, "a")),
            "id": Factor(codes=subject, levels=levels(subject, "s")),
        },
    )


@pytest.fixture(scope="module")
def panel():
    """80 subjects, two arms, four visits at unequal distances, a fifth of the rows missing."""
    stream = np.random.default_rng(11)
    root = np.linalg.cholesky([[2.0, 1.1, 0.9, 0.6], [1.1, 1.8, 1.0, 0.8], [0.9, 1.0, 1.5, 0.9], [0.6, 0.8, 0.9, 2.5]])
    kept = stream.random((80, 4)) > 0.2
    kept[:, 0] |= ~kept.any(axis=1)
    subject, visit = np.nonzero(kept)
    errors = stream.standard_normal((80, 4)) @ root.T
    arm = subject % 2
    return cohort(
        10 - visit + 0.4 * arm * visit + errors[kept],
        np.array([0, 2, 3, 7])[visit],
        visit,
        arm,
        subject,
    )


@pytest.fixture(scope="module")
def ask(r, panel):
    columns = {
        "v1": {"type": "double", "values": panel.numeric["y"]},
        "v2": {"type": "double", "values": panel.numeric["t"]},
    }
    for k, name in enumerate(("visit", "arm", "id"), start=3):
        factor = panel.factors[name]
        columns[f"v{k}"] = {"type": "factor", "codes": factor.codes + 1, "n_levels": len(factor.levels)}

    def request(operation, structure, criterion="REML", **more):
        sent = {"columns": columns, "structure": structure, "criterion": criterion, **more}
        return r.request(operation, sent).value

    return request


def ours(text, data, criterion="REML"):
    design = build_design(LmmSpec(formula=parse_formula(text), criterion=criterion), data)
    return design, fit_visits(design)


def assert_no_higher(deviance, theirs, slack):
    """Ours is never above theirs by more than rounding, and theirs not far above ours."""
    assert deviance <= theirs + 1e-9
    assert deviance >= theirs - slack


@pytest.mark.needs_r("mmrm")
@pytest.mark.parametrize("by", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_mmrm_agrees(ask, panel, name, by):
    within = "arm / " if by else ""
    for criterion, method in (("REML", "Satterthwaite"), ("REML", "Kenward-Roger-Linear"), ("ML", "Satterthwaite")):
        theirs = ask("visits.mmrm", name, criterion, method=method, by=by)
        design, fit = ours(f"y ~ visit * arm + {name}(visit | {within}id)", panel, criterion)
        assert_no_higher(fit.deviance, theirs["criterion"], 1e-7)
        ours_named = "satterthwaite" if method == "Satterthwaite" else "kenward-roger-observed-linear"
        effects = fixed_effects(fit, design, ours_named)
        np.testing.assert_allclose(np.sqrt(np.diag(effects.vcov)), theirs["error"], rtol=2e-5)
        np.testing.assert_allclose(effects.degrees.of_rows(effects.working), theirs["df"], rtol=5e-5)
        np.testing.assert_allclose(fit.beta, theirs["beta"], atol=1e-4)


@pytest.mark.needs_r("nlme")
@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("name", ["us", "cs", "csh", "ar1", "ar1h", "car1"])
def test_gls_agrees(ask, panel, name, criterion):
    theirs = ask("visits.gls", name, criterion)
    _, fit = ours(f"y ~ visit * arm + {name}({'t' if name == 'car1' else 'visit'} | id)", panel, criterion)
    assert_no_higher(fit.deviance, theirs["criterion"], 1e-6)
    np.testing.assert_allclose(fit.beta, theirs["beta"], atol=1e-4)


@pytest.mark.needs_r("nlme")
@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_lme_with_autoregressive_residuals_agrees(ask, panel, criterion):
    theirs = ask("visits.lme", "ar1", criterion)
    _, fit = ours("y ~ visit * arm + (1 | id) + ar1(visit | id)", panel, criterion)
    assert_no_higher(fit.deviance, theirs["criterion"], 1e-6)


@pytest.mark.needs_r("glmmTMB")
@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize(("name", "theirs_named"), [("us", "us"), ("csh", "cs"), ("toeph", "toep"), ("ar1", "ar1")])
def test_glmmtmb_agrees(ask, panel, name, theirs_named, criterion):
    """Its cs and toep have a variance for each visit, its ar1 has one; a residual variance of 1e-16 or so remains."""
    theirs = ask("visits.glmmTMB", theirs_named, criterion)
    _, fit = ours(f"y ~ visit * arm + {name}(visit | id)", panel, criterion)
    assert fit.deviance == pytest.approx(theirs["criterion"], abs=2e-5)
    np.testing.assert_allclose(fit.beta, theirs["beta"], atol=1e-3)


@pytest.fixture(scope="module")
def fev(r):
    data = r.request("visits.fev_data", {}).value
    visit, arm, subject = (np.asarray(data[name], dtype=np.int64) - 1 for name in ("visit", "arm", "id"))
    _, subject = np.unique(subject, return_inverse=True)
    return cohort(data["y"], visit, visit, arm, subject)


@pytest.mark.needs_r("mmrm")
@pytest.mark.parametrize("name", SAS)
def test_sas_agrees_in_both_forms_of_kenward_roger(fev, name):
    """Second derivatives in the parametrisation of SAS: none for us, cs and toep; elsewhere they matter."""
    estimate, second, linear, df = SAS[name]
    design, fit = ours(f"y ~ arm + {name}(visit | id)", fev)
    assert fit.beta[1] == pytest.approx(estimate, rel=5e-5)
    for method, error in (("kenward-roger-observed", second), ("kenward-roger-observed-linear", linear)):
        effects = fixed_effects(fit, design, method)
        assert np.sqrt(effects.vcov[1, 1]) == pytest.approx(error, rel=SAS_ERROR)
        assert effects.degrees.of_rows(effects.working)[1] == pytest.approx(df, rel=SAS_DF)
