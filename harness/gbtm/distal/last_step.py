"""Maximum likelihood of a last step: a mixture whose classes are known with errors, or known from trajectories."""

from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from harness.arrays import Codes, Matrix, Vector
from harness.convergence import Stop
from harness.gbtm.distal.first_step import FirstStep, class_scores
from harness.gbtm.em import run_em
from harness.gbtm.mixture import Mixture, derivatives, e_step
from harness.gbtm.newton import climb
from harness.gbtm.optima import boundary_parameters

_EM_STEPS = 25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LastStep:
    """The end of one climb from the trajectories' classes.

    `boundary` are parameters (from 0) without a maximum; `notes` say what a reader must know of the end.
    """

    mixture: Mixture
    vector: Vector
    log_likelihood: float
    boundary: tuple[int, ...]
    notes: tuple[str, ...]


def climb_from_posterior(mixture: Mixture, posterior: Matrix) -> LastStep:
    """Return where EM and Newton's method lead from class probabilities (K, N)."""
    with threadpool_limits(limits=1, user_api="blas"):
        return climb_from_vector(mixture, run_em(posterior[None], mixture, _EM_STEPS)[0])


def climb_from_vector(mixture: Mixture, vector: Vector) -> LastStep:
    """Return where Newton's method leads from a free vector (P,)."""
    with threadpool_limits(limits=1, user_api="blas"):
        ends = climb(vector[None], mixture)
    vector, stop = ends.vectors[0], ends.stop[0]
    boundary: tuple[int, ...] = ()
    notes = []
    if stop == Stop.FLAT:
        boundary = boundary_parameters(vector, mixture)
        named = ", ".join(f"{p.name} of class {p.latent_class}" for p in (mixture.parameters[k] for k in boundary))
        notes.append(f"The likelihood has no maximum in {named or 'some direction'}; no standard errors there.")
    elif stop != Stop.OPTIMUM:
        notes.append(f"The last step ended at a {stop.value}, not at an optimum.")
    return LastStep(
        mixture=mixture,
        vector=vector,
        log_likelihood=float(ends.log_likelihood[0]),
        boundary=boundary,
        notes=tuple(notes),
    )


def influences(last: LastStep, step: FirstStep, subjects: Codes) -> Matrix:
    """Return by how much each subject moves the score through the classification D, (P, N of the first step).

    d score / d D_gs = sum over subjects assigned to s of w_i t_ig (v_ig - s_i) / D_gs, with the posterior t and the
    class scores v of the last step (Bakk, Oberski & Vermunt 2014), times the influence of each subject on D.

    Parameters
    ----------
    last
        Whose classes are known with the errors D.
    step
        Where D comes from.
    subjects
        The numbers of the subjects that the last step has.
    """
    posterior = e_step(last.vector[None], last.mixture)[0][0]
    scores = class_scores(last.vector, last.mixture, posterior)
    mean = np.einsum("gn,gpn->pn", posterior, scores)
    moved = posterior[:, None] * (scores - mean) * last.mixture.weights
    assigned = step.assigned[subjects]
    is_assigned = (assigned == np.arange(step.n_classes)[:, None]).astype(np.float64)
    with np.errstate(divide="ignore"):
        inverse = np.where(step.classification > 0, 1 / step.classification, 0.0)
    slopes = np.einsum("gpn,sn->pgs", moved, is_assigned) * inverse
    return np.asarray(np.einsum("pgs,gsn->pn", slopes, step.influence))


def sandwich(last: LastStep, extra: Matrix | None = None, subjects: Codes | None = None) -> Matrix:
    """Return H^-1 (sum_i phi_i phi_i') H^-1, (P, P), with phi_i = w_i s_i plus `extra` (P, N of the first step).

    Directions without information are held fixed.
    """
    found = derivatives(last.vector[None], last.mixture)
    phi = found.scores[0] * last.mixture.weights
    if extra is not None and subjects is not None:
        every = extra.copy()
        every[:, subjects] += phi
        phi = every
    eigenvalues, Q = np.linalg.eigh(found.information[0])
    kept = Q[:, np.abs(eigenvalues) > 1e-6]
    inverse = kept @ np.linalg.inv(kept.T @ found.information[0] @ kept) @ kept.T
    return np.asarray(inverse @ (phi @ phi.T) @ inverse)
