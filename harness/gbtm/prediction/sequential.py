"""Class probabilities of patients after each of their visits, at many parameters at once."""

import numpy as np
from scipy.special import log_softmax

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.gbtm.densities.dropout import DropoutDensity
from harness.gbtm.design import GbtmDesign
from harness.gbtm.dropout import at_risk
from harness.gbtm.mixture import Mixture
from harness.gbtm.panel import panel_of
from harness.gbtm.prediction.outcome_laws import given_earlier
from harness.gbtm.prediction.visits import Patients


def log_joint_after(vectors: Matrix, mixture: Mixture, design: GbtmDesign, patients: Patients) -> Tensor:
    """Return log(pi_ig f_ig) of the visits up to each one, (S, K, V): softmax over classes is the posterior there.

    With a dropout model, having stayed until a visit counts; that nobody knows of a later one does not.

    Parameters
    ----------
    vectors
        Free vectors (S, P) of `mixture`.
    mixture, design
        Of the fit, classes in its order.
    patients
        Whose visits.
    """
    terms = np.zeros((len(vectors), mixture.n_classes, len(patients.visit_time)))
    by_visit = terms.transpose(2, 0, 1)
    for number, outcome in enumerate(design.outcomes):
        rows = patients.outcomes[number]
        known = rows.taken(rows.known)
        visits = patients.visit_of[number]
        own = vectors[:, mixture.parts[outcome.density]]
        by_row = given_earlier(mixture.densities[outcome.density], own, known, outcome.spec)
        np.add.at(by_visit, visits, by_row.transpose(2, 0, 1))
        for density, part in zip(mixture.densities, mixture.parts, strict=True):
            if isinstance(density, DropoutDensity) and part.start == mixture.parts[outcome.density].stop:
                waves = outcome.rows.waves
                at, stayed = _stayed(density, vectors[:, part], patients, number, waves)
                np.add.at(by_visit, at, stayed.transpose(2, 0, 1))
    priors = log_shares(vectors, mixture, patients)
    return _cumulated(terms, patients.visit_patient) + priors[:, :, patients.visit_patient]


def log_shares(vectors: Matrix, mixture: Mixture, patients: Patients) -> Tensor:
    """Return log pi_ig, (S, K, M): what is known of patients before any visit."""
    membership = mixture.membership
    theta = vectors[:, : membership.n_free].reshape(len(vectors), membership.n_classes - 1, len(membership.names))
    predictors = theta @ patients.W.T
    return np.asarray(
        log_softmax(np.concatenate([predictors, np.zeros((len(vectors), 1, patients.count))], axis=1), axis=1)
    )


def _cumulated(terms: Tensor, patient: Codes) -> Tensor:
    """Return the sums over the visits of the same patient up to each one."""
    total = terms.copy()
    rank = np.arange(len(patient)) - np.searchsorted(patient, patient)
    for r in range(1, int(rank.max(initial=0)) + 1):
        here = np.flatnonzero(rank == r)
        total[..., here] += total[..., here - 1]
    return total


def _stayed(
    density: DropoutDensity, own: Matrix, patients: Patients, number: int, waves: Vector
) -> tuple[Codes, Tensor]:
    """Return the visit at which each wave is known to have been stayed for, and log P(stayed), (S, K, waves)."""
    rows = patients.outcomes[number]
    known = rows.taken(rows.known)
    risk = at_risk(known.y, known.time, panel_of(known.patient, patients.count), waves)
    stayed = np.flatnonzero(risk.dropped == 0)
    response = density.response
    raw = np.column_stack([np.ones(len(risk.time)), risk.lags[:, : response.X.shape[1] - 1]])[stayed]
    eta = response.coefficients(own) @ (np.nan_to_num(raw) @ response.T).T
    enters = risk.depth[stayed] >= np.array(response.orders)[:, None]
    subject, time = risk.panel.subject[stayed], risk.time[stayed]
    at = [
        int(np.flatnonzero((patients.visit_patient == i) & (patients.visit_time >= t))[0])
        for i, t in zip(subject, time, strict=True)
    ]
    return np.array(at, dtype=np.int64), np.where(enters, -np.logaddexp(0.0, eta), 0.0)
