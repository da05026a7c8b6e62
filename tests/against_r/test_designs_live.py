"""Columns of coded factors, polynomials and splines as R's model.matrix has them, through the worker."""

import numpy as np
import pytest

from harness.cases import Case, Probe
from harness.cohorts import fixture_cohort
from harness.formula import parse_formula
from harness.lmm.design import build_design, input_evidence
from harness.lmm.engine import engine_of
from harness.lmm.spec import LmmSpec
from harness.references import reference_engine


@pytest.mark.needs_r("lme4")
@pytest.mark.parametrize(
    ("formula", "weights"),
    [
        ("0 + C(visit, sum):protocol + sex + (1 | subject)", None),
        ("C(visit, helmert) * protocol - protocol + (1 + week | subject)", "age"),
        ("poly(week, 3) * protocol + (1 + poly(week, 2) | subject)", None),
        ("ns(week, 3) + C(protocol, poly) + log1p(age) + (1 | sex / subject)", None),
        ("week:protocol:sex + C(visit, poly) + (1 + week || subject)", None),
    ],
)
def test_a_design_is_lme4s(worker, formula, weights):
    """Names and sums of the columns that are kept, and the criterion, which under REML moves with every column's scale.

    130 outcomes are missing, so that bases trained on complete rows only would differ.
    """
    spec = LmmSpec(formula=parse_formula(f"madrs ~ {formula}"), weights=weights)
    case = Case(name="designs", cohort=fixture_cohort("ketamine_real"), spec=spec, references=())
    design = build_design(spec, case.cohort)
    ours = input_evidence(design)
    sizes = [size * (size + 1) // 2 for size in design.blocks]
    point = tuple(np.concatenate([0.7 + 0.1 * np.arange(size) for size in sizes]).tolist())
    reading = reference_engine("lme4", worker).read(case, [Probe(label="away", point=point)])
    assert reading.failure is None, reading.failure
    assert (reading.evidence.n_observations, reading.evidence.n_subjects) == (ours.n_observations, ours.n_subjects)
    assert set(reading.evidence.design_sums) == set(ours.design_sums)
    for name, total in ours.design_sums.items():
        # Columns of up to 1124 entries of size one, added in another order.
        assert reading.evidence.design_sums[name] == pytest.approx(total, rel=1e-11, abs=1e-10), name
    (found,) = (value.log_likelihood for value in reading.objective if value.label == "away")
    assert -2 * found == pytest.approx(engine_of(design).deviance(np.array(point), design), rel=1e-11)
