"""What lcmm and flexmix have in common: mixtures by class, their canonical order, the estimates."""

import math
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.cases import Spec
from harness.convergence import Convergence, Stop
from harness.gbtm.adequacy import average_posterior, entropy
from harness.gbtm.estimates import GbtmEstimates, power_name
from harness.gbtm.spec import GbtmSpec
from harness.quantities import InputEvidence, Point
from harness.references.decoding import Answered, input_evidence
from harness.references.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixture:
    """Parameters by class, in the engine's own order, which is the order of the spec's `orders`.

    `log_shares` (K,), -inf for an empty class; `beta[g]` by raw powers of time; `sigma` one value or K; `posterior`
    (N, K); `covariance` of (shares 1..K; beta class by class; sigma), or None.
    """

    log_shares: Vector
    beta: tuple[Vector, ...]
    sigma: Vector
    posterior: Matrix
    covariance: Matrix | None = None

    @property
    def shares(self) -> Vector:
        """Class shares, (K,)."""
        return np.asarray(np.exp(self.log_shares))

    @property
    def log_odds(self) -> Vector:
        """Log-odds of classes 1..K-1 against class K, (K-1,)."""
        return np.asarray(self.log_shares[:-1] - self.log_shares[-1])

    def relabelled(self, classes: Codes) -> "Mixture":
        """Return the same mixture with class classes[g] in place g."""
        blocks = _blocks(self.beta, len(self.sigma))
        moved = np.concatenate([blocks[name][g] for name in ("share", "beta") for g in classes])
        sigmas = np.concatenate([blocks["sigma"][g] for g in (classes if len(self.sigma) > 1 else (0,))])
        places = np.concatenate([moved, sigmas])
        return Mixture(
            log_shares=self.log_shares[classes],
            beta=tuple(self.beta[g] for g in classes),
            sigma=self.sigma[classes] if len(self.sigma) > 1 else self.sigma,
            posterior=self.posterior[:, classes],
            covariance=None if self.covariance is None else self.covariance[np.ix_(places, places)],
        )


def the_gbtm(spec: Spec) -> GbtmSpec:
    """Return the spec as what `support` has already seen that it is."""
    if not isinstance(spec, GbtmSpec):
        msg = f"{type(spec).__name__} is no trajectory model"
        raise TypeError(msg)
    return spec


def canonical_order(beta: tuple[Vector, ...], power_sums: Vector, n_observations: int) -> Codes:
    """Return the classes from the lowest to the highest mean fitted value over all observed rows."""
    means = power_sums / n_observations
    return np.argsort([float(means[: len(own)] @ own) for own in beta], kind="stable")


def spec_order(canonical: Mixture, spec: GbtmSpec) -> Mixture:
    """Return the mixture with its classes where the spec has their orders, canonical among equal orders."""
    orders = [len(own) - 1 for own in canonical.beta]
    left = list(range(len(orders)))
    classes = []
    for order in spec.orders:
        g = next(g for g in left if orders[g] == order)
        left.remove(g)
        classes.append(g)
    return canonical.relabelled(np.array(classes))


def point_of(mixture: Mixture) -> Point:
    """Return the parameters in the layout of `GbtmSpec`."""
    return tuple(map(float, np.concatenate([mixture.log_odds, *mixture.beta, mixture.sigma])))


def gbtm_evidence(answer: Answered, spec: GbtmSpec) -> InputEvidence:
    """Return what R says it was given, powers of time by our names."""
    return input_evidence(answer, [power_name(spec.time, k) for k in range(max(spec.orders) + 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """The log-likelihood and what the engine derives from it; NaN for a criterion that it does not have."""

    log_likelihood: float
    n_parameters: int
    aic: float
    bic_subjects: float = math.nan
    bic_observations: float = math.nan


def gbtm_estimates(
    answer: Answered, spec: GbtmSpec, request: Request, mixture: Mixture, criteria: Criteria
) -> GbtmEstimates:
    """Return the estimates of a mixture in canonical order."""
    return GbtmEstimates(
        family=spec.family,
        sigma_kind=spec.sigma,
        time=spec.time,
        class_shares=read_only(mixture.shares),
        log_odds=read_only(mixture.log_odds),
        beta=tuple(read_only(own) for own in mixture.beta),
        sigma=read_only(mixture.sigma),
        covariance=None if mixture.covariance is None else read_only(mixture.covariance),
        log_likelihood=criteria.log_likelihood,
        aic=criteria.aic,
        bic_subjects=criteria.bic_subjects,
        bic_observations=criteria.bic_observations,
        n_observations=int(answer["evidence"]["n_observations"].item()),
        n_subjects=int(answer["evidence"]["n_subjects"].item()),
        n_parameters=criteria.n_parameters,
        subject_labels=tuple(request.levels["v3"][int(code) - 1] for code in answer["subjects"]),
        posterior=read_only(mixture.posterior),
        entropy=entropy(mixture.posterior),
        average_posterior=read_only(average_posterior(mixture.posterior)),
    )


def search_report(answer: Answered) -> str:
    """Return how often the search met its best end."""
    reached, finals = answer["reached"], answer["finals"]
    continued = ", ".join(f"{value:.6f}" for value in finals)
    if not len(reached):
        return f"from the given start alone: {continued}"
    hits = int(np.sum(reached >= reached.max() - 0.01))
    return (
        f"{hits} of {answer['n_starts'].item():.0f} starts within 0.01 of the best after the first stage; "
        f"continued to convergence: {continued}"
    )


def with_empty_class(convergence: Convergence, shares: Vector, n_subjects: int) -> Convergence:
    """Return the convergence, or that the search ended where a class holds less than one subject."""
    if not convergence.converged or shares.min() * n_subjects >= 1:
        return convergence
    return Convergence(
        stop=Stop.EMPTY_CLASS,
        message=f"a class has {shares.min() * n_subjects:.3g} subjects; {convergence.message}",
        iterations=convergence.iterations,
        distance=convergence.distance,
    )


def _blocks(beta: tuple[Vector, ...], n_sigmas: int) -> dict[str, list[Codes]]:
    """Return the places of each class's parameters in (shares; beta class by class; sigma)."""
    K = len(beta)
    ends = K + np.cumsum([len(own) for own in beta])
    return {
        "share": [np.array([g]) for g in range(K)],
        "beta": [np.arange(end - len(own), end) for end, own in zip(ends, beta, strict=True)],
        "sigma": [np.array([ends[-1] + s]) for s in range(n_sigmas)],
    }
