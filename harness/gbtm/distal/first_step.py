"""What later steps need of a fitted trajectory model: its classes, how surely they are known, and their slopes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.adequacy import assignment
from harness.gbtm.design import GbtmDesign
from harness.gbtm.mixture import Mixture, derivatives, e_step

_LEAST_KNOWN = 0.7


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstStep:
    """K classes, N subjects, P parameters of the trajectory model.

    Attributes
    ----------
    mixture, vector
        At the best optimum, classes in canonical order.
    labels, subject
        Names of the N subjects, and of the column that has them.
    posterior : (K, N)
        Class probabilities.
    assigned : (N,)
        Modal class, from 0.
    """

    mixture: Mixture
    vector: Vector
    labels: tuple[str, ...]
    subject: str
    posterior: Matrix
    assigned: Codes

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.posterior)

    @property
    def weights(self) -> Vector:
        """Of subjects, (N,), with mean 1."""
        return self.mixture.weights

    @cached_property
    def classification(self) -> Matrix:
        """D_gs = sum_i p_ig 1(c_i = s) / sum_i p_ig: how likely a member of class g is assigned to s, (K, K)."""
        return read_only(self._sums / self._sums.sum(axis=1, keepdims=True))

    @cached_property
    def _sums(self) -> Matrix:
        is_assigned = (self.assigned == np.arange(self.n_classes)[:, None]).astype(np.float64)
        return np.asarray((self.posterior * self.weights) @ is_assigned.T)

    @cached_property
    def class_scores(self) -> Tensor:
        """u_ig = d log(pi_ig f_ig) / d vector, (K, P, N)."""
        return class_scores(self.vector, self.mixture, self.posterior)

    @cached_property
    def influence(self) -> Tensor:
        """By how much each subject moves D, (K, K, N): its own part in the sums, and its pull on the trajectories.

        The modal classes are held fixed.
        """
        K, sums = self.n_classes, self._sums
        D, totals = self.classification, sums.sum(axis=1)
        is_assigned = (self.assigned == np.arange(K)[:, None]).astype(np.float64)
        direct = self.posterior[:, None] * (is_assigned - D[:, :, None]) * self.weights
        scores = np.einsum("gn,gpn->pn", self.posterior, self.class_scores)
        slopes = self.posterior[:, None] * (self.class_scores - scores) * self.weights  # dp_ig / d vector
        by_cell = np.einsum("gpn,sn->gsp", slopes, is_assigned) - D[:, :, None] * slopes.sum(axis=2)[:, None]
        information = derivatives(self.vector[None], self.mixture).information[0]
        pull = np.linalg.solve(information, scores * self.weights)
        return np.asarray((direct + by_cell @ pull) / totals[:, None, None])

    def notes(self) -> list[str]:
        """Return what a reader must know of the classes before using them again."""
        found = []
        for g, known in enumerate(np.diag(self.classification), start=1):
            if known < _LEAST_KNOWN:
                found.append(f"Only {100 * known:.0f} % of class {g} are expected to be assigned to it.")
        return found


def first_step(design: GbtmDesign, fit: GbtmFit) -> FirstStep:
    """Return the first step of a fitted model.

    Raises
    ------
    SpecError
        If the fit is no solution with as many classes as it was asked for, or a class is the modal one of nobody.
    """
    mixture = design.mixture_of(fit.class_kinds)
    posterior = e_step(fit.vector[None], mixture)[0][0]
    assigned = assignment(posterior.T).astype(np.int64)
    problems = []
    if not fit.best.is_proper:
        found = f"a fit of {mixture.n_classes} classes that is no proper optimum ({fit.convergence.stop.value})"
        problems.append(Problem(found=found, expected="one that is", advice="Fit fewer classes, or raise n_starts."))
    problems += [
        Problem(found=f"class {g + 1}, the modal class of nobody", expected="subjects assigned to every class")
        for g in sorted(set(range(mixture.n_classes)) - set(assigned.tolist()))
    ]
    if problems:
        raise SpecError("classes of a trajectory model", problems)
    return FirstStep(
        mixture=mixture,
        vector=fit.vector,
        labels=design.subject_labels,
        subject=design.spec.subject,
        posterior=read_only(posterior),
        assigned=read_only(assigned),
    )


def class_scores(vector: Vector, mixture: Mixture, posterior: Matrix) -> Tensor:
    """Return d log(pi_ig f_ig) / d vector, (K, P, N), at a free vector (P,) with its posterior (K, N)."""
    K, N = posterior.shape
    membership = mixture.membership
    scores = np.zeros((K, mixture.n_free, N))
    shares = np.broadcast_to(np.exp(membership.log_shares(vector[None, : membership.n_free]))[0], (K, N))
    by_odds = scores[:, : membership.n_free].reshape(K, K - 1, len(membership.names), N)
    by_odds[:] = ((np.eye(K)[:, : K - 1, None] - shares[: K - 1])[:, :, None]) * membership.W.T
    for density, part in zip(mixture.densities, mixture.parts, strict=True):
        for g, found in enumerate(density.derivatives(vector[None, part], posterior[None])):
            scores[g, part.start + density.places[g]] = found.scores[0]
    return scores
