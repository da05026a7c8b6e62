"""Our own engine as a reference: the same data in another order, the search from elsewhere. It needs no R.

Agreement with it says that our optimum depends neither on the order of rows nor on where the search begins.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import read_only
from harness.cases import Case, Probe
from harness.cohorts.cohort import Cohort, Factor
from harness.engines import NAME, OurGbtm, OurLmm, OurSide, solve
from harness.errors import SpecError
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec
from harness.lmm.engine import fitted
from harness.quantities import Failure, ObjectiveValue, Point, Reading

AGAIN = NAME
"""What a plan calls it: ours, against ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Our engine on the rows in reverse: a mixed model from a fixed theta, a trajectory model from other starts."""

    name: str = AGAIN

    def read(self, case: Case, probes: Sequence[Probe] = (), start: Point | None = None) -> Reading:
        """Return what we say from there; a refusal is a `Reading` with a `failure`."""
        began = time.perf_counter()
        try:
            side = _solved(replace(case, cohort=reversed_rows(case.cohort)), start)
        except SpecError as error:
            failure = Failure(reason="refused", sentence=f"harness refused the model: {error}")
            return Reading(engine=self.name, source="computed", versions={}, failure=failure)
        reading = side.reading(against=self.name)
        asked = (
            ObjectiveValue(label=probe.label, point=probe.point, log_likelihood=side.log_likelihood(probe.point))
            for probe in probes
        )
        return replace(reading, objective=(*asked, *reading.objective), seconds=time.perf_counter() - began)


def reversed_rows(cohort: Cohort) -> Cohort:
    """Return the cohort with its last row first; labels and codes stay."""
    return replace(
        cohort,
        numeric={name: read_only(values[::-1].copy()) for name, values in cohort.numeric.items()},
        factors={
            name: Factor(codes=read_only(factor.codes[::-1].copy()), levels=factor.levels)
            for name, factor in cohort.factors.items()
        },
    )


def _solved(case: Case, start: Point | None) -> OurSide:
    if isinstance(case.spec, GbtmSpec):
        if start is None:
            return solve(replace(case, spec=replace(case.spec, seed=case.spec.seed + 1)))
        return OurGbtm(case=case, result=fit_gbtm_cohort(case.spec, case.cohort, start), seconds=None)
    side = solve(case)
    if not isinstance(side, OurLmm):
        return side
    point = start if start is not None else next((probe.point for probe in side.probes()), None)
    fit, estimates = fitted(side.result.design, None if point is None else np.array(point))
    return replace(side, result=replace(side.result, fit=fit, estimates=estimates))
