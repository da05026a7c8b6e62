"""What a trajectory model estimates, whoever fitted it: one type for our engine and for R's."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.gbtm.spec import Family, Sigma
from harness.quantities import Kind, OptimumCovariance, Quantity


def power_name(time: str, power: int) -> str:
    """Return the name of a coefficient of a power of time, as in a formula."""
    return ("intercept", time)[power] if power < 2 else f"{time}^{power}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GbtmEstimates:
    """Estimates of a trajectory model in the user's units, classes in canonical order.

    K classes, N subjects. `beta[g]` are the coefficients of raw powers of time, lowest first; `sigma` has one entry if
    shared, else K. `log_odds` (K-1,) are classes 1..K-1 against class K. `log_likelihood` keeps all constants.
    `bic_subjects` uses log N, `bic_observations` log n_obs. `entropy` is 1 - EN/(N log K).
    `covariance` belongs to (class shares 1..K; beta class by class; sigma): the inverse observed information by the
    delta method (singular, because shares sum to 1); None where an engine does not give it.
    """

    family: Family
    sigma_kind: Sigma
    time: str
    class_shares: Vector
    log_odds: Vector
    beta: tuple[Vector, ...]
    sigma: Vector
    covariance: Matrix | None = None
    log_likelihood: float
    aic: float
    bic_subjects: float
    bic_observations: float
    n_observations: int
    n_subjects: int
    n_parameters: int
    subject_labels: tuple[str, ...]
    posterior: Matrix
    entropy: float
    average_posterior: Vector

    @property
    def n_classes(self) -> int:
        """How many latent classes."""
        return len(self.class_shares)

    def quantities(self) -> tuple[Quantity, ...]:
        """Return every number of a trajectory model, by path; classes count from 1."""
        return (*self._counts(), *self._parameters(), *self._posteriors())

    def optimum_covariance(self) -> OptimumCovariance | None:
        """Return the joint covariance of all OPTIMUM quantities."""
        if self.covariance is None:
            return None
        return OptimumCovariance(paths=tuple(q.path for q in self._point_estimates()), matrix=self.covariance)

    def _counts(self) -> tuple[Quantity, ...]:
        deviance = -2 * self.log_likelihood
        return (
            Quantity(path="n_observations", kind=Kind.EXACT, value=self.n_observations),
            Quantity(path="n_subjects", kind=Kind.EXACT, value=self.n_subjects),
            Quantity(path="n_classes", kind=Kind.EXACT, value=self.n_classes),
            Quantity(path="n_parameters", kind=Kind.EXACT, value=self.n_parameters),
            Quantity(path="log_likelihood", kind=Kind.OPTIMUM, value=self.log_likelihood),
            Quantity(path="aic.penalty", kind=Kind.ALGEBRAIC, value=self.aic - deviance),
            Quantity(path="bic_subjects.penalty", kind=Kind.ALGEBRAIC, value=self.bic_subjects - deviance),
            Quantity(path="bic_observations.penalty", kind=Kind.ALGEBRAIC, value=self.bic_observations - deviance),
            Quantity(path="entropy", kind=Kind.POSTERIOR, value=self.entropy),
        )

    def _parameters(self) -> tuple[Quantity, ...]:
        estimates = self._point_estimates()
        errors = (
            Quantity(
                path=quantity.path.removesuffix(".estimate") + ".standard_error",
                kind=Kind.CURVATURE,
                value=quantity.standard_error,
                latent_class=quantity.latent_class,
            )
            for quantity in estimates
            if quantity.standard_error is not None
        )
        return (*estimates, *errors)

    def _point_estimates(self) -> tuple[Quantity, ...]:
        named: list[tuple[str, float, int | None]] = [
            (f"class[{g}].share.estimate", float(share), g) for g, share in enumerate(self.class_shares, start=1)
        ]
        for g, coefficients in enumerate(self.beta, start=1):
            named += [
                (f"class[{g}].beta[{power_name(self.time, k)}].estimate", float(value), g)
                for k, value in enumerate(coefficients)
            ]
        if self.sigma_kind == "shared":
            named.append(("sigma.estimate", float(self.sigma[0]), None))
        else:
            named += [(f"class[{g}].sigma.estimate", float(value), g) for g, value in enumerate(self.sigma, start=1)]
        errors = [None] * len(named) if self.covariance is None else np.sqrt(np.diag(self.covariance)).tolist()
        return tuple(
            Quantity(path=path, kind=Kind.OPTIMUM, value=value, standard_error=error, latent_class=g)
            for (path, value, g), error in zip(named, errors, strict=True)
        )

    def _posteriors(self) -> tuple[Quantity, ...]:
        averages = (
            Quantity(path=f"class[{g}].average_posterior", kind=Kind.POSTERIOR, value=float(value), latent_class=g)
            for g, value in enumerate(self.average_posterior, start=1)
        )
        members = (
            Quantity(
                path=f"class[{g}].posterior[{label}]",
                kind=Kind.POSTERIOR,
                value=float(self.posterior[i, g - 1]),
                latent_class=g,
            )
            for i, label in enumerate(self.subject_labels)
            for g in range(1, self.n_classes + 1)
        )
        return (*averages, *members)
