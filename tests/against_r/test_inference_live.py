"""Tests of fixed effects against lmerTest, pbkrtest and clubSandwich, on lme4's tightest fit."""

from pathlib import Path

import numpy as np
import pytest

from harness.cohorts.cohort import Cohort, Factor
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.fit import fit
from harness.lmm.inference.contrasts import joint_test
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.hypotheses import TYPES
from harness.lmm.inference.sandwich import robust_effects
from harness.lmm.inference.table import coefficient_table
from harness.lmm.inference.terms import term_table
from harness.lmm.spec import LmmSpec
from harness.locations import r_source_folder
from harness.references.worker import RWorker

SOURCES = (r_source_folder() / "worker.R", Path(__file__).with_name("inference.R"))
MODELS = {
    "slope": "y ~ t + (1 + t | id)",
    "one_factor": "y ~ arm + (1 | id)",
    "slope_by_arm": "y ~ t * arm + sex + x + (1 + t | id)",
    "slope_by_arm_uncorrelated": "y ~ t * arm + (1 + t || id)",
    "visit_by_arm": "y ~ visit * arm + (1 + t | id)",
    "threefold": "y ~ arm * sex * x + t + (1 | id)",
    "no_intercept": "y ~ 0 + arm + t + (1 + t | id)",
}
# pbkrtest and clubSandwich need seconds where lmerTest needs tenths.
SLOW = ("one_factor", "slope_by_arm_uncorrelated", "visit_by_arm")
# lme4's best optimiser stops 5e-7 (relative) from the optimum in theta.
LIMIT = 1e-6
# Type III contrasts of lmerTest pass zapsmall(), which leaves 7 digits of the largest.
ROUNDED = 1e-5
# In the far tail an error of df counts as often as the logarithm of p is large.
SMALL = 1e-9


@pytest.fixture(scope="module")
def r():
    with RWorker(sources=SOURCES) as worker:
        yield worker


@pytest.fixture(scope="module")
def trial():
    """Three arms, two sexes, a covariate, dropout: 40 subjects in unequal cells, none of them empty."""
    stream = np.random.default_rng(5)
    rows = []
    for i in range(40):
        b, x = stream.normal(size=2) * [1, 0.4], stream.normal()
        arm, sex = i % 3 if i < 36 else 0, int(i % 7 > 3)
        for t in range(5):
            if t and stream.random() < 0.25:
                continue
            mean = 10 + b[0] + b[1] * t + 0.3 * t * (arm == 1) + 0.4 * sex + 0.2 * x
            rows.append((mean + stream.normal(), t, t, arm, sex, x, i))
    y, t, visit, arm, sex, x, subject = map(np.array, zip(*rows, strict=True))
    return Cohort(
        name="trial",
        subject="id",
        time="t",
        numeric={"y": y, "t": t.astype(float), "x": x},
        factors={
            "visit": Factor(codes=visit, levels=tuple(f"v{k}" for k in range(5))),
            "arm": Factor(codes=arm, levels=("a", "b", "c")),
            "sex": Factor(codes=sex, levels=("f", "m")),
            "id": Factor(codes=subject, levels=tuple(f"s{i}" for i in range(40))),
        },
    )


@pytest.fixture(scope="module")
def ask(r, trial):
    columns = {}
    for k, name in enumerate(("y", "t", "visit", "arm", "sex", "x", "id"), start=1):
        if name in trial.numeric:
            columns[f"v{k}"] = {"type": "double", "values": trial.numeric[name]}
        else:
            factor = trial.factors[name]
            columns[f"v{k}"] = {"type": "factor", "codes": factor.codes + 1, "n_levels": len(factor.levels)}

    def request(operation, model, criterion="REML"):
        return r.request(operation, {"columns": columns, "model": model, "criterion": criterion}).value

    return request


@pytest.fixture(scope="module")
def fitted(trial):
    def run(model, criterion="REML"):
        design = build_design(LmmSpec(formula=parse_formula(MODELS[model]), criterion=criterion), trial)
        return design, fit(design)

    return run


def assert_tables_agree(effects, design, theirs):
    for type_, table in zip(TYPES, theirs, strict=True):
        ours, limit = term_table(effects, design, type_), ROUNDED if type_ == "III" else LIMIT
        np.testing.assert_array_equal(ours.df1, table["df1"])
        for name in ("F", "df2", "p"):
            np.testing.assert_allclose(
                getattr(ours, name), table[name], rtol=limit, atol=SMALL, err_msg=f"{type_}, {name}"
            )


@pytest.mark.needs_r("lmerTest")
@pytest.mark.parametrize(
    ("model", "criterion"), [*((model, "REML") for model in MODELS), ("slope_by_arm", "ML"), ("one_factor", "ML")]
)
def test_satterthwaite_is_lmertests(ask, fitted, model, criterion):
    theirs = ask("inference.satterthwaite", model, criterion)
    design, found = fitted(model, criterion)
    effects = fixed_effects(found, design)
    table = coefficient_table(effects)
    np.testing.assert_allclose(table.standard_error, theirs["error"], rtol=LIMIT)
    np.testing.assert_allclose(table.df, theirs["df"], rtol=LIMIT)
    np.testing.assert_allclose(table.p, theirs["p"], rtol=LIMIT, atol=SMALL)
    assert_tables_agree(effects, design, theirs["terms"])


@pytest.mark.needs_r("lmerTest", "pbkrtest")
@pytest.mark.parametrize("model", SLOW)
def test_kenward_roger_is_pbkrtests(ask, fitted, model):
    theirs = ask("inference.kenward_roger", model)
    design, found = fitted(model)
    effects = fixed_effects(found, design, "kenward-roger")
    scale = np.sqrt(np.diag(theirs["vcov"]))
    np.testing.assert_allclose(
        effects.vcov / np.outer(scale, scale), theirs["vcov"] / np.outer(scale, scale), atol=LIMIT
    )
    np.testing.assert_allclose(coefficient_table(effects).df, theirs["df"], rtol=LIMIT)
    joint = joint_test(effects, np.eye(design.n_fixed)[1:])
    ours = [joint.F, joint.df1, joint.df2, joint.p, joint.scaling]
    np.testing.assert_allclose(ours, theirs["joint"], rtol=LIMIT)
    assert_tables_agree(effects, design, theirs["terms"])


@pytest.fixture(scope="module")
def club_sandwich(r):
    """It is no engine of the harness, so that nothing asks for it by a marker."""
    if not r.request("session.packages", {"packages": ["clubSandwich"]}).value["versions"][0]:
        pytest.skip("R has no package clubSandwich")


@pytest.mark.needs_r("lmerTest")
@pytest.mark.usefixtures("club_sandwich")
@pytest.mark.parametrize("model", SLOW)
def test_sandwich_is_clubsandwichs(ask, fitted, model):
    theirs = ask("inference.sandwich", model)
    design, found = fitted(model)
    for kind in ("CR0", "CR2"):
        effects = robust_effects(found, design, kind)
        vcov = theirs[kind]["vcov"]
        scale = np.sqrt(np.diag(vcov))
        np.testing.assert_allclose(effects.vcov / np.outer(scale, scale), vcov / np.outer(scale, scale), atol=LIMIT)
        np.testing.assert_allclose(coefficient_table(effects).df, theirs[kind]["df"], rtol=LIMIT)
