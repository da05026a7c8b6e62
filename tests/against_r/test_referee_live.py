"""Panels on which lme4 rounds its own criterion: the judge calls it no definition, and names who is off by how much."""

import numpy as np
import pytest

from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.comparison.verdict import Attribution
from harness.crosscheck import References, compare_with
from harness.engines import solve
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.references import reference_engine

pytestmark = pytest.mark.needs_r("lme4")


def panel(*, sd, sigma, offset=0.0, subjects=60, visits=6):
    stream = np.random.default_rng(3)
    subject, t = np.repeat(np.arange(subjects), visits), np.tile(np.arange(float(visits)), subjects)
    first, second = (size * stream.normal(size=subjects) for size in sd)
    y = offset + 20 - t + first[subject] + second[subject] * t + sigma * stream.normal(size=len(t))
    labels = tuple(f"s{k:02d}" for k in range(subjects))
    return Cohort(
        name="panel",
        subject="s",
        time=None,
        numeric={"t": t, "y": y},
        factors={"s": Factor(codes=subject, levels=labels)},
    )


@pytest.mark.parametrize(
    ("cohort", "least"),
    [
        pytest.param(panel(sd=(1.0, 0.3), sigma=1.0, offset=1e7), 1e-9, id="y + 1e7"),
        pytest.param(panel(sd=(6.0, 2.0), sigma=1e-5), 1e-4, id="sigma 1e-5 beside 6"),
    ],
)
def test_a_criterion_that_rounds_is_float_and_lme4_is_named(worker, cohort, least):
    case = Case(name="panel", cohort=cohort, spec=LmmSpec(formula=parse_formula("y ~ t + (1 + t | s)")), references=())
    comparison = compare_with(solve(case), "lme4", References(live={"lme4": reference_engine("lme4", worker)}))
    assert comparison.attribution is Attribution.FLOAT, comparison.sentence
    adjudication = comparison.evidence.adjudication
    assert max(abs(ruling.left_error) for ruling in adjudication.rulings) < 1e-11
    assert max(abs(ruling.right_error) for ruling in adjudication.rulings if ruling.right_error is not None) > least
    assert adjudication.gap > 0
    assert "lme4's own log-likelihood at" in comparison.sentence
