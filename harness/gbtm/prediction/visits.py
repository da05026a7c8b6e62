"""The visits of patients in the columns of a fitted model: of the patients it was fitted to, or of others."""

from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector, read_only
from harness.gbtm.design import GbtmDesign


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeRows:
    """n rows of one outcome, sorted by patient and time.

    Attributes
    ----------
    y, time, offset : (n,)
        In the user's units; y is NaN where the outcome is not known.
    trials : (n,) or None
        Of a logit outcome.
    X : (n, Q)
        Working columns of the predictor.
    patient : (n,)
        Number of the patient.
    source : (n,)
        Which row of the table it came from, counted from 0.
    """

    y: Vector
    time: Vector
    offset: Vector
    trials: Vector | None
    X: Matrix
    patient: Codes
    source: Codes

    @property
    def known(self) -> Mask:
        """Which outcomes are known."""
        return np.asarray(~np.isnan(self.y))

    def taken(self, rows: Codes | Mask) -> "OutcomeRows":
        """Return some of the rows."""
        return replace(
            self,
            y=self.y[rows],
            time=self.time[rows],
            offset=self.offset[rows],
            trials=None if self.trials is None else self.trials[rows],
            X=self.X[rows],
            patient=self.patient[rows],
            source=self.source[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patients:
    """M patients: their labels, working risk factors (M, r), and the rows of each outcome of the model.

    `visit_patient`, `visit_time` (V,) are the visits at which some outcome is known, by patient and time; `visit_of`
    has, for each outcome, the number of the visit of each known row, in their order.
    """

    labels: tuple[str, ...]
    W: Matrix
    outcomes: tuple[OutcomeRows, ...]
    visit_patient: Codes
    visit_time: Vector
    visit_of: tuple[Codes, ...]

    @property
    def count(self) -> int:
        """M."""
        return len(self.labels)

    @property
    def n_visits(self) -> Codes:
        """Visits of each patient, (M,)."""
        return np.bincount(self.visit_patient, minlength=self.count).astype(np.int64)


def patients_of(labels: tuple[str, ...], W: Matrix, outcomes: tuple[OutcomeRows, ...], *, timed: bool) -> Patients:
    """Return patients with their visits: distinct times of known outcomes; without time, each row is a visit."""
    known = [rows.taken(rows.known) for rows in outcomes]
    patient = np.concatenate([rows.patient for rows in known])
    time = np.concatenate([rows.time for rows in known])
    key = time if timed else np.concatenate([rows.source for rows in known]).astype(np.float64)
    order = np.lexsort((key, patient))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(patient[order]) != 0) | (np.diff(key[order]) != 0)
    visit = np.empty(len(order), dtype=np.int64)
    visit[order] = np.cumsum(new) - 1
    first = order[new]
    ends = np.cumsum([len(rows.y) for rows in known])
    return Patients(
        labels=labels,
        W=W,
        outcomes=outcomes,
        visit_patient=read_only(patient[first]),
        visit_time=read_only(time[first]),
        visit_of=tuple(np.split(visit, ends[:-1])),
    )


def fitted_patients(design: GbtmDesign) -> Patients:
    """Return the patients that a model was fitted to."""
    outcomes = tuple(
        OutcomeRows(
            y=outcome.rows.y,
            time=outcome.rows.time,
            offset=outcome.rows.offset,
            trials=outcome.rows.trials,
            X=outcome.response.X,
            patient=outcome.rows.panel.subject,
            source=outcome.rows.cohort_row,
        )
        for outcome in design.outcomes
    )
    timed = design.spec.time is not None
    return patients_of(design.subject_labels, design.mixture.membership.W, outcomes, timed=timed)
