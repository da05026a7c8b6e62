"""The law of one value a subject given its class, as a density of the same kind as those of trajectories."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Vector, read_only
from harness.errors import Problem, SpecError
from harness.gbtm.densities.building import build_densities
from harness.gbtm.families.build import row_family
from harness.gbtm.model import ClassDensity
from harness.gbtm.panel import panel_of
from harness.gbtm.response_building import build_response
from harness.gbtm.rows import Rows
from harness.gbtm.spec import Family, GbtmSpec, Sigma
from harness.gbtm.terms import Covariates

FAMILIES: tuple[Family, ...] = ("gaussian", "logit", "poisson")
"""Of a distal outcome; its predictor is the mean, the log-odds, the logarithm of the rate."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistalOutcome:
    """z_i of N subjects, NaN for those without one; `sigma` is that of a gaussian outcome: shared or by class."""

    name: str
    values: Vector
    family: Family
    sigma: Sigma = "shared"

    @property
    def n_missing(self) -> int:
        """Subjects without a value."""
        return int(np.isnan(self.values).sum())


def check_outcome(outcome: DistalOutcome) -> None:
    """Raise a SpecError for a family that does not fit the values, or values that do not vary."""
    problems = []
    if outcome.family not in FAMILIES:
        problems.append(
            Problem(found=f"family {outcome.family!r}", expected=f"one of {', '.join(map(repr, FAMILIES))}")
        )
    elif outcome.sigma not in {"shared", "class"}:
        problems.append(Problem(found=f"sigma {outcome.sigma!r}", expected="'shared' or 'class'"))
    else:
        problems += row_family(outcome.family, outcome.values).problems()
        known = outcome.values[~np.isnan(outcome.values)]
        if not problems and np.ptp(known) == 0:
            found = f"the outcome is {float(known[0])!r} for every subject"
            problems.append(Problem(found=found, expected="an outcome that varies", column=outcome.name))
    if problems:
        raise SpecError(f"distal outcome {outcome.name!r}", problems)


def outcome_density(outcome: DistalOutcome, n_classes: int) -> ClassDensity:
    """Return the density of z_i given the class; 1 for subjects without a value."""
    known = np.flatnonzero(~np.isnan(outcome.values)).astype(np.int64)
    n = len(known)
    none = Covariates(names=(), values=read_only(np.empty((n, 0))))
    rows = Rows(
        y=read_only(outcome.values[known]),
        time=read_only(np.zeros(n)),
        offset=read_only(np.zeros(n)),
        trials=None,
        panel=panel_of(known, len(outcome.values)),
        covariates=none,
        common=none,
        cohort_row=known,
        waves=np.empty(0),
    )
    spec = GbtmSpec(
        outcome=outcome.name,
        time=None,
        subject="subject",
        orders=(0,) * n_classes,
        family=outcome.family,
        sigma=outcome.sigma,
    )
    response, _ = build_response(spec, rows)
    (density,) = build_densities(spec, rows, response)
    return density
