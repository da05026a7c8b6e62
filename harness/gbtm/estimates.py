"""What a trajectory model estimates, whoever fitted it: one type for our engine and for R's."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.gbtm.named import Parameter, Role
from harness.gbtm.spec import Family, Sigma
from harness.quantities import Kind, OptimumCovariance, Quantity

_PATHS: dict[Role, str] = {
    "log_odds": "class[{g}].membership[{name}]",
    "beta": "class[{g}].beta[{name}]",
    "common": "common[{name}]",
    "zero": "class[{g}].zero[{name}]",
    "precision": "class[{g}].precision",
    "covariance": "random.{name}",
    "scale": "class[{g}].scale",
    "process": "process.{name}",
    "dropout": "class[{g}].dropout[{name}]",
}


def path_of(parameter: Parameter) -> str:
    """Return the path of a parameter among the quantities, such as ``class[2].beta[week]``."""
    g, name = parameter.latent_class, parameter.name
    if parameter.role == "sigma":
        return f"class[{g}].{name}" if g else name
    return _PATHS[parameter.role].format(g=g, name=name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GbtmEstimates:
    """Estimates of a trajectory model in the user's units, classes in canonical order.

    K classes, N subjects, P parameters.

    Attributes
    ----------
    parameters, point : (P,)
        What the parameters are, and their values: log-odds against class K first.
    class_shares : (K,)
        With risk factors, the mean of each subject's shares.
    covariance : (K + P', K + P') or None
        Of the class shares, then of `reported` parameters: the inverse observed information by the delta method, or
        what `covariance_kind` says (singular, because shares sum to 1). NaN in the rows of a parameter at a boundary;
        None where an engine does not give it.
    log_likelihood
        With all constants. `bic_subjects` uses log N, `bic_observations` log n_obs. `entropy` is 1 - EN/(N log K).
    """

    family: Family
    sigma_kind: Sigma
    time: str
    parameters: tuple[Parameter, ...]
    point: Vector
    class_shares: Vector
    covariance: Matrix | None = None
    covariance_kind: str = "observed information"
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

    @property
    def reported(self) -> tuple[int, ...]:
        """Numbers of the parameters that are reported beside the shares: log-odds only where there are risk factors."""
        return reported(self.parameters, self.n_classes)

    def of_role(self, role: Role, latent_class: int | None = None) -> Vector:
        """Return the values of the parameters of a role, in order; of one class (from 1) if it is given."""
        chosen = [
            value
            for parameter, value in zip(self.parameters, self.point.tolist(), strict=True)
            if parameter.role == role and latent_class in {None, parameter.latent_class}
        ]
        return np.array(chosen)

    @property
    def log_odds(self) -> Vector:
        """Membership coefficients, risk factor by risk factor; without any, those of classes 1..K-1 against K."""
        return self.of_role("log_odds")

    @property
    def beta(self) -> tuple[Vector, ...]:
        """Coefficients of each class: time, lowest power first, then covariates."""
        return tuple(self.of_role("beta", g) for g in range(1, self.n_classes + 1))

    @property
    def sigma(self) -> Vector:
        """Residual standard deviation: one if shared, K if by class, else one a visit; none in other families."""
        return self.of_role("sigma")

    def quantities(self) -> tuple[Quantity, ...]:
        """Return every number of a trajectory model, by path; classes count from 1."""
        return (*self._counts(), *self._parameters(), *self._posteriors())

    def optimum_covariance(self) -> OptimumCovariance | None:
        """Return the joint covariance of all OPTIMUM quantities that have one."""
        if self.covariance is None:
            return None
        known = np.flatnonzero(np.isfinite(np.diag(self.covariance)))
        paths = [q.path for q in self._point_estimates()]
        return OptimumCovariance(
            paths=tuple(paths[k] for k in known), matrix=np.asarray(self.covariance[np.ix_(known, known)])
        )

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
            (f"class[{g}].share", float(share), g) for g, share in enumerate(self.class_shares, start=1)
        ]
        for k in self.reported:
            parameter = self.parameters[k]
            named.append((path_of(parameter), float(self.point[k]), parameter.latent_class or None))
        errors = [None] * len(named) if self.covariance is None else _roots(self.covariance)
        return tuple(
            Quantity(path=f"{path}.estimate", kind=Kind.OPTIMUM, value=value, standard_error=error, latent_class=g)
            for (path, value, g), error in zip(named, errors, strict=True)
        )

    def _posteriors(self) -> tuple[Quantity, ...]:
        averages = (
            Quantity(path=f"class[{g}].average_posterior", kind=Kind.POSTERIOR, value=float(value), latent_class=g)
            for g, value in enumerate(self.average_posterior, start=1)
            if not np.isnan(value)  # of a class that is nobody's most probable one there is no average
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


def reported(parameters: tuple[Parameter, ...], n_classes: int) -> tuple[int, ...]:
    """Return which parameters of a point are reported beside the shares, which say all that log-odds alone would."""
    n_odds = sum(parameter.role == "log_odds" for parameter in parameters)
    first = 0 if n_odds > n_classes - 1 else n_odds
    return tuple(range(first, len(parameters)))


def _roots(covariance: Matrix) -> list[float | None]:
    variances = np.diag(covariance).tolist()
    return [float(np.sqrt(v)) if np.isfinite(v) else None for v in variances]
