"""The rows of an outcome that a model uses, sorted by subject, in the user's units."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import Codes, Mask, Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.gbtm.panel import Panel, panel_of
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.terms import Covariates, covariates

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """n rows with an observed outcome, sorted by subject (in the order of `Subjects.labels`), time, outcome.

    Attributes
    ----------
    y, time, offset : (n,)
        Outcome; time, 0 if the model has none; log exposure, 0 if it has none.
    trials : (n,) or None
        Of a logit outcome: 1 if no column gives them.
    cohort_row : (n,)
        Which row of the cohort each is, from 0.
    waves : (T,)
        The distinct times of all rows of the cohort, in order, also those without an outcome; none without time.
    """

    y: Vector
    time: Vector
    offset: Vector
    trials: Vector | None
    panel: Panel
    covariates: Covariates
    common: Covariates
    cohort_row: Codes
    waves: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subjects:
    """N subjects with at least one observed outcome.

    `weights` (N,) have the mean 1; `membership` are their risk factors (N, k). `dropped` had no observed outcome.
    """

    labels: tuple[str, ...]
    weights: Vector
    membership: Covariates
    dropped: tuple[str, ...]
    dropped_rows: int

    @property
    def count(self) -> int:
        """N."""
        return len(self.labels)


def read_rows(specs: tuple[GbtmSpec, ...], cohort: Cohort) -> tuple[Subjects, tuple[Rows, ...]]:
    """Return the subjects and, for each outcome, its rows; a subject needs one observed outcome of any of them.

    The first spec gives the subject, the risk factors and the weights.
    """
    first = specs[0]
    factor = cohort.factors[first.subject]
    observed = [~np.isnan(cohort.numeric[spec.outcome]) for spec in specs]
    any_observed = np.any(observed, axis=0)
    present = np.unique(factor.codes[any_observed])
    lost = np.setdiff1d(factor.codes[factor.codes >= 0], present)
    first_rows = _first_rows(factor.codes, any_observed)
    weights = np.ones(len(present)) if first.weights is None else cohort.numeric[first.weights][first_rows]
    subjects = Subjects(
        labels=tuple(factor.levels[code] for code in present),
        weights=read_only(weights / weights.mean()),
        membership=covariates(first.membership, cohort, first_rows),
        dropped=tuple(factor.levels[code] for code in lost),
        dropped_rows=int(np.sum(~any_observed)),
    )
    found = tuple(_rows(spec, cohort, here, present) for spec, here in zip(specs, observed, strict=True))
    return subjects, found


def distinct_times(spec: GbtmSpec, cohort: Cohort) -> Vector:
    """Return the distinct finite times (T,) of all rows of a cohort, in order; none without a column of time."""
    if spec.time is None:
        return np.empty(0)
    times = np.unique(cohort.numeric[spec.time])
    return np.asarray(times[np.isfinite(times)])


def _first_rows(codes: Codes, observed: Mask) -> Codes:
    rows = np.flatnonzero(observed)
    _, first = np.unique(codes[rows], return_index=True)
    return np.asarray(rows[first], dtype=np.int64)


def _rows(spec: GbtmSpec, cohort: Cohort, observed: Mask, present: Codes) -> Rows:
    columns: Mapping[str, Vector] = cohort.numeric
    rows = np.flatnonzero(observed)
    subject = np.searchsorted(present, cohort.factors[spec.subject].codes[rows])
    time = np.zeros(len(rows)) if spec.time is None else columns[spec.time][rows]
    order = np.lexsort((columns[spec.outcome][rows], time, subject))
    rows, subject = rows[order], subject[order]
    offset = np.zeros(len(rows)) if spec.exposure is None else np.log(columns[spec.exposure][rows])
    trials = None
    if spec.family == "logit":
        trials = read_only(np.ones(len(rows)) if spec.trials is None else columns[spec.trials][rows])
    return Rows(
        y=read_only(columns[spec.outcome][rows]),
        time=read_only(time[order]),
        offset=read_only(offset),
        trials=trials,
        panel=panel_of(subject.astype(np.int64), len(present)),
        covariates=covariates(spec.covariates, cohort, rows, spec.time),
        common=covariates(spec.common, cohort, rows, spec.time),
        cohort_row=read_only(rows.astype(np.int64)),
        waves=read_only(distinct_times(spec, cohort)),
    )
