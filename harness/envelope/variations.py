"""Our engine on one case in several ways that should make no difference: other starts, seeds, and another algorithm."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness.cases import Case
from harness.engines import OurGbtm, OurLmm, OurSide, solve
from harness.errors import SpecError
from harness.gbtm.spec import GbtmSpec
from harness.lmm.engine import CROSSED, ONE_FACTOR, engine_of, fitted
from harness.lmm.estimates import LmmEstimates
from harness.lmm.fitted import Fitted

FACTORS = (0.8, 1.25)
"""By what the covariance parameters of the optimum are multiplied for another start."""


def variations(ours: OurSide) -> Iterator[tuple[str, OurSide]]:
    """Yield what was varied, and the fit with it; nothing for formulas, which have no search."""
    if isinstance(ours, OurLmm):
        yield from _of_a_mixed_model(ours)
    elif isinstance(ours, OurGbtm) and isinstance(ours.case.spec, GbtmSpec):
        yield "another seed", solve(_with_seed(ours.case, ours.case.spec))


def _with_seed(case: Case, spec: GbtmSpec) -> Case:
    return replace(case, spec=replace(spec, seed=spec.seed + 1))


def _of_a_mixed_model(ours: OurLmm) -> Iterator[tuple[str, OurSide]]:
    design = ours.result.design
    for factor in FACTORS:
        start = np.array(ours.result.estimates.theta) * factor
        try:
            yield f"start {factor:g} times the optimum", _refitted(ours, *fitted(design, start))
        except SpecError:  # it is no covariance that the model can have
            continue
    if engine_of(design) is ONE_FACTOR:
        other = CROSSED.fit(design, None)
        yield "the engine for crossed factors", _refitted(ours, other, CROSSED.estimate(other, design))


def _refitted(ours: OurLmm, fit: Fitted, estimates: LmmEstimates) -> OurLmm:
    return replace(ours, result=replace(ours.result, fit=fit, estimates=estimates))
