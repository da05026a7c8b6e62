"""The mixture as a function of one free vector: its parts, posterior class probabilities, score and information.

With a_ig = log pi_ig + log f_ig, p_ig the posterior and s_i = sum_g p_ig da_ig the score of subject i (Louis 1982;
McLachlan & Peel 2000, section 2.15)::

    dL   = sum_i w_i s_i
    d2L  = sum_i w_i [ sum_g p_ig (d2a_ig + da_ig da_ig') - s_i s_i' ]

All in working units; S vectors at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.gbtm.densities.moments import GaussianMoments
from harness.gbtm.membership import Membership
from harness.gbtm.model import ClassDensity
from harness.gbtm.named import Parameter

_BLOCK = 32_768  # subjects


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """Class membership and the densities of one subject's data given the class, as functions of one free vector.

    The free vector: membership coefficients, then the own vectors of `densities`. `weights` (N,) are those of subjects,
    with mean 1. `labels` name the outcome of each density in front of its parameters, where there are several outcomes.
    """

    membership: Membership
    densities: tuple[ClassDensity, ...]
    weights: Vector
    labels: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """K."""
        return self.membership.n_classes

    @cached_property
    def n_free(self) -> int:
        """Length of the free vector."""
        return self.membership.n_free + sum(density.n_free for density in self.densities)

    @cached_property
    def parts(self) -> tuple[slice, ...]:
        """Place of each density's own vector in the free vector."""
        ends = self.membership.n_free + np.cumsum([density.n_free for density in self.densities])
        return tuple(
            slice(int(end) - density.n_free, int(end)) for end, density in zip(ends, self.densities, strict=True)
        )

    @cached_property
    def are_weighted(self) -> bool:
        """Whether some subject weighs more than another."""
        return bool(np.any(self.weights != 1.0))

    def weighted(self, values: Tensor) -> Tensor:
        """Return (..., N) values times the weights of subjects; as they are if all are 1."""
        return values * self.weights if self.are_weighted else values

    @cached_property
    def lower(self) -> Vector:
        """Lower bounds of the free vector."""
        return np.concatenate([np.full(self.membership.n_free, -np.inf), *(d.lower for d in self.densities)])

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the entries of a `Point` are."""
        labels = [f"{label}: " for label in self.labels] or [""] * len(self.densities)
        own = (
            replace(parameter, name=label + parameter.name)
            for label, density in zip(labels, self.densities, strict=True)
            for parameter in density.parameters
        )
        return (*self.membership.parameters, *own)

    @cached_property
    def blocks(self) -> tuple[tuple[slice, "Mixture"], ...]:
        """The mixture of so many subjects at a time that their arrays stay in the cache; none if there are few.

        Only where every density is one of sums by subject, which can be taken apart.
        """
        N = len(self.weights)
        densities = [density for density in self.densities if isinstance(density, GaussianMoments)]
        if N <= _BLOCK or len(densities) < len(self.densities):
            return ()
        slices = [slice(first, min(first + _BLOCK, N)) for first in range(0, N, _BLOCK)]
        return tuple((some, self._of(some, densities)) for some in slices)

    def _of(self, some: slice, densities: Sequence[GaussianMoments]) -> "Mixture":
        return replace(
            self,
            membership=replace(self.membership, W=self.membership.W[some]),
            densities=tuple(density.of_subjects(some) for density in densities),
            weights=self.weights[some],
        )

    def permuted(self, classes: Codes) -> "Mixture":
        """Return the mixture whose class g is class classes[g] of this one."""
        return replace(
            self,
            densities=tuple(density.permuted(classes) for density in self.densities),
        )

    def relabelled(self, vectors: Matrix, classes: Codes) -> Matrix:
        """Return the free vectors (S, P) of `permuted(classes)` for the same mixtures."""
        own = [d.relabelled(vectors[:, part], classes) for d, part in zip(self.densities, self.parts, strict=True)]
        return np.concatenate([self.membership.relabelled(vectors[:, : self.membership.n_free], classes), *own], axis=1)

    def to_user(self, vector: Vector) -> Vector:
        """Return the parameters in the user's units, in the order of `parameters`."""
        own = [density.to_user(vector[part]) for density, part in zip(self.densities, self.parts, strict=True)]
        return np.concatenate([self.membership.to_user(vector[: self.membership.n_free]), *own])

    def from_user(self, values: Vector) -> Vector:
        """Return the free vector of values in the user's units."""
        own = [density.from_user(values[part]) for density, part in zip(self.densities, self.parts, strict=True)]
        return np.concatenate([self.membership.from_user(values[: self.membership.n_free]), *own])

    def user_jacobian(self, vector: Vector) -> Matrix:
        """Return d to_user / d vector, (P, P)."""
        jacobian = np.zeros((self.n_free, self.n_free))
        first = slice(0, self.membership.n_free)
        jacobian[first, first] = self.membership.user_jacobian()
        for density, part in zip(self.densities, self.parts, strict=True):
            jacobian[part, part] = density.user_jacobian(vector[part])
        return jacobian


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derivatives:
    """S vectors, N subjects, P free parameters: the log-likelihood and its derivatives."""

    log_likelihood: Vector  # (S,)
    by_subject: Matrix  # (S, N), the log-likelihood of each subject, without its weight
    scores: Tensor  # (S, P, N), by subject, without its weight
    score: Matrix  # (S, P)
    information: Tensor  # (S, P, P), minus the second derivative


def log_joint(vectors: Matrix, mixture: Mixture) -> Tensor:
    """Return log(pi_ig f_ig), (S, K, N)."""
    first, *others = (
        density.log_density(vectors[:, part]) for density, part in zip(mixture.densities, mixture.parts, strict=True)
    )
    joint = first
    for other in others:
        joint = joint + other
    return joint + mixture.membership.log_shares(vectors[:, : mixture.membership.n_free])


def e_step(vectors: Matrix, mixture: Mixture) -> tuple[Tensor, Vector]:
    """Return the posterior class probabilities (S, K, N) and the log-likelihoods (S,), all constants included."""
    posterior, by_subject = posteriors(vectors, mixture)
    return posterior, by_subject @ mixture.weights


def posteriors(vectors: Matrix, mixture: Mixture) -> tuple[Tensor, Matrix]:
    """Return the posterior class probabilities (S, K, N) and the log-likelihoods of subjects (S, N)."""
    if mixture.blocks:
        posterior = np.empty((len(vectors), mixture.n_classes, len(mixture.weights)))
        by_subject = np.empty((len(vectors), len(mixture.weights)))
        for some, block in mixture.blocks:
            posterior[:, :, some], by_subject[:, some] = posteriors(vectors, block)
        return posterior, by_subject
    joint = log_joint(vectors, mixture)
    largest = joint.max(axis=1, keepdims=True)
    joint -= largest
    posterior = np.exp(joint, out=joint)
    total = posterior.sum(axis=1, keepdims=True)
    posterior /= total
    log_total = np.log(total, out=total)
    log_total += largest
    return posterior, log_total[:, 0]


def derivatives(vectors: Matrix, mixture: Mixture, known: tuple[Tensor, Matrix] | None = None) -> Derivatives:
    """Return the log-likelihood, the score of each subject and the observed information at free vectors (S, P).

    `known` is what `posteriors` gives there, if that was asked already.
    """
    posterior, by_subject = posteriors(vectors, mixture) if known is None else known
    if mixture.blocks:
        return _together(
            [
                derivatives(vectors, block, (posterior[:, :, some], by_subject[:, some]))
                for some, block in mixture.blocks
            ],
            by_subject,
        )
    S, P, N = len(vectors), mixture.n_free, posterior.shape[2]
    membership = mixture.membership
    weighted = mixture.weighted(posterior)
    by_density = [
        density.derivatives(vectors[:, part], weighted)
        for density, part in zip(mixture.densities, mixture.parts, strict=True)
    ]
    scores, second = np.zeros((S, P, N)), np.zeros((S, P, P))
    own = slice(0, membership.n_free)
    by_membership = membership.derivatives(vectors[:, own], posterior, mixture.weights)
    scores[:, own] = by_membership.scores
    mixed = []
    for g in range(mixture.n_classes):
        places, parts = [], []
        for density, part, found in zip(mixture.densities, mixture.parts, by_density, strict=True):
            at = part.start + density.places[g]
            second[:, at[:, None], at] += found[g].curvature
            places.append(at)
            parts.append(found[g].scores)
        at, u = np.concatenate(places), parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        pu = posterior[:, g, None] * u
        scores[:, at] += pu
        second[:, at[:, None], at] += mixture.weighted(pu) @ u.transpose(0, 2, 1)
        mixed.append((at, pu))
    second -= mixture.weighted(scores) @ scores.transpose(0, 2, 1)
    second[:, own, own] = by_membership.second
    if membership.n_free:
        rest = slice(membership.n_free, P)
        second[:, own, rest] = membership.cross(weighted, scores[:, rest], mixed, P)
        second[:, rest, own] = second[:, own, rest].transpose(0, 2, 1)
    return Derivatives(
        log_likelihood=by_subject @ mixture.weights,
        by_subject=by_subject,
        scores=scores,
        score=scores @ mixture.weights,
        information=-second,
    )


def _together(blocks: Sequence[Derivatives], by_subject: Matrix) -> Derivatives:
    """Return the derivatives of all subjects from those of some at a time."""
    return Derivatives(
        log_likelihood=np.sum([block.log_likelihood for block in blocks], axis=0),
        by_subject=by_subject,
        scores=np.concatenate([block.scores for block in blocks], axis=2),
        score=np.sum([block.score for block in blocks], axis=0),
        information=np.sum([block.information for block in blocks], axis=0),
    )
