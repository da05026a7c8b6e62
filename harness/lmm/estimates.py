"""What a linear mixed model estimates, whoever fitted it: one type for our engine and for R's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.lmm.spec import Criterion
from harness.quantities import Kind, OptimumCovariance, Quantity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomEffects:
    """The random effects of one grouping factor: q effects at each of m levels.

    `cov` (q, q) is their covariance at one level; `modes` (m, q) are conditional modes in the order of `labels`, and
    `modes_cov` (m, q, q) their variances given beta and all covariance parameters (lme4's `postVar`), None where an
    engine does not give them.
    """

    grouping: str
    names: tuple[str, ...]
    cov: Matrix
    labels: tuple[str, ...]
    modes: Matrix
    modes_cov: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResidualCovariance:
    """The residual covariance (v, v) of one subject over the visits, at one level of the factor that it differs by."""

    level: str | None
    visits: tuple[str, ...]
    cov: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LmmEstimates:
    """Estimates of a linear mixed model in the user's units.

    p fixed effects. `vcov` (p, p) is the covariance of `beta` given the covariance parameters (Bates et al. 2015, eq.
    54); `log_likelihood` is -1/2 of the ML or REML criterion with all constants of lme4; `aic` and `bic` follow lme4
    (bic counts rows). `theta` is the point in the engine's own parameters.

    `random` has one entry a grouping factor, `residual` one a level that the residual covariance differs by. `sigma` is
    None where there is a residual structure, whose parameters are `residual_parameters` by name. `variance_cov` is the
    inverse information of (lower triangles of the random covariances by rows, then sigma or the residual parameters);
    None where an engine does not give it.
    """

    criterion: Criterion
    fixed_names: tuple[str, ...]
    beta: Vector
    vcov: Matrix
    theta: Vector
    random: tuple[RandomEffects, ...]
    sigma: float | None
    residual: tuple[ResidualCovariance, ...] = ()
    residual_parameters: Mapping[str, float] = field(default_factory=dict)
    variance_cov: Matrix | None = None
    log_likelihood: float
    aic: float
    bic: float
    n_observations: int
    n_subjects: int
    n_parameters: int

    @property
    def random_cov(self) -> Matrix:
        """The covariance (q, q) of the random effects of the first grouping factor."""
        return self.random[0].cov if self.random else np.zeros((0, 0))

    @property
    def conditional_modes(self) -> Matrix:
        """The conditional modes (m, q) of the first grouping factor."""
        return self.random[0].modes if self.random else np.zeros((self.n_subjects, 0))

    def quantities(self) -> tuple[Quantity, ...]:
        """Return every number of a linear mixed model, by path."""
        return (*self._counts(), *self._fixed(), *self._variances(), *self._modes())

    def optimum_covariance(self) -> OptimumCovariance | None:
        """Return the joint covariance of all OPTIMUM quantities; fixed effects and variances are uncorrelated in it."""
        if self.variance_cov is None:
            return None
        p, r = len(self.beta), len(self.variance_cov)
        matrix = np.zeros((p + r, p + r))
        matrix[:p, :p] = self.vcov
        matrix[p:, p:] = self.variance_cov
        paths = tuple(f"fixed[{name}].estimate" for name in self.fixed_names)
        return OptimumCovariance(paths=(*paths, *self._variance_paths()), matrix=read_only(matrix))

    def _counts(self) -> tuple[Quantity, ...]:
        deviance = -2 * self.log_likelihood
        return (
            Quantity(path="n_observations", kind=Kind.EXACT, value=self.n_observations),
            Quantity(path="n_subjects", kind=Kind.EXACT, value=self.n_subjects),
            Quantity(path="n_parameters", kind=Kind.EXACT, value=self.n_parameters),
            Quantity(path="log_likelihood", kind=Kind.OPTIMUM, value=self.log_likelihood),
            Quantity(path="aic.penalty", kind=Kind.ALGEBRAIC, value=self.aic - deviance),
            Quantity(path="bic.penalty", kind=Kind.ALGEBRAIC, value=self.bic - deviance),
        )

    def _fixed(self) -> tuple[Quantity, ...]:
        names, errors = self.fixed_names, np.sqrt(np.diag(self.vcov))
        estimates = (
            Quantity(path=f"fixed[{name}].estimate", kind=Kind.OPTIMUM, value=float(b), standard_error=float(se))
            for name, b, se in zip(names, self.beta, errors, strict=True)
        )
        standard_errors = (
            Quantity(path=f"fixed[{name}].standard_error", kind=Kind.CURVATURE, value=float(se))
            for name, se in zip(names, errors, strict=True)
        )
        # Correlations, so that each is judged on the scale of its own pair of standard errors.
        correlations = (
            Quantity(
                path=f"fixed.correlation[{names[a]},{names[b]}]",
                kind=Kind.CURVATURE,
                value=float(self.vcov[a, b] / (errors[a] * errors[b])),
            )
            for a in range(len(names))
            for b in range(a)
        )
        return (*estimates, *standard_errors, *correlations)

    def _variance_paths(self) -> tuple[str, ...]:
        entries = (
            f"random.covariance[{self._prefix(one)}{one.names[a]},{one.names[b]}]"
            for one in self.random
            for a, b in zip(*np.tril_indices(len(one.names)), strict=True)
        )
        rest = ("sigma.estimate",) if self.sigma is not None else ()
        return (*entries, *rest, *(f"residual[{name}].estimate" for name in self.residual_parameters))

    def _variances(self) -> tuple[Quantity, ...]:
        values = [*(value for one in self.random for value in one.cov[np.tril_indices(len(one.names))])]
        values += [] if self.sigma is None else [self.sigma]
        values += self.residual_parameters.values()
        errors = [None] * len(values) if self.variance_cov is None else np.sqrt(np.diag(self.variance_cov)).tolist()
        return tuple(
            Quantity(path=path, kind=Kind.OPTIMUM, value=float(value), standard_error=error)
            for path, value, error in zip(self._variance_paths(), values, errors, strict=True)
        )

    def _prefix(self, one: RandomEffects) -> str:
        """Return what names the grouping factor where there are several."""
        return "" if len(self.random) == 1 else f"{one.grouping};"

    def _modes(self) -> tuple[Quantity, ...]:
        return tuple(quantity for one in self.random for quantity in _modes_of(one, self._prefix(one)))


def _modes_of(one: RandomEffects, prefix: str) -> Iterator[Quantity]:
    for i, label in enumerate(one.labels):
        for j, name in enumerate(one.names):
            variance = None if one.modes_cov is None else float(one.modes_cov[i, j, j])
            yield Quantity(
                path=f"mode[{prefix}{label},{name}].estimate",
                kind=Kind.POSTERIOR,
                value=float(one.modes[i, j]),
                standard_error=None if variance is None else float(np.sqrt(max(variance, 0.0))),
            )
            if variance is not None:
                yield Quantity(path=f"mode[{prefix}{label},{name}].variance", kind=Kind.CURVATURE, value=variance)
