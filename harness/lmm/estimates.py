"""What a linear mixed model estimates, whoever fitted it: one type for our engine and for R's."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.lmm.spec import Criterion
from harness.quantities import Kind, OptimumCovariance, Quantity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LmmEstimates:
    """Estimates of a linear mixed model in the user's units.

    p fixed effects, q random effects, k entries of theta, m subjects. `vcov` is sigma^2 (R_X'R_X)^-1 (Bates et al.
    2015, eq. 54); `log_likelihood` is -1/2 of the ML or REML criterion with all constants of lme4; `aic` and `bic`
    follow lme4 (bic counts rows). `random_cov` is the covariance of the random effects of one subject.
    `conditional_cov[i]` is the variance of the modes of subject i given beta, theta and sigma (lme4's `postVar`).
    `variance_cov` is the covariance of (lower triangle of random_cov by rows, sigma), the inverse information;
    None where an engine does not give it.
    """

    criterion: Criterion
    fixed_names: tuple[str, ...]
    beta: Vector
    vcov: Matrix
    random_names: tuple[str, ...]
    theta: Vector
    random_cov: Matrix
    sigma: float
    variance_cov: Matrix | None = None
    log_likelihood: float
    aic: float
    bic: float
    n_observations: int
    n_subjects: int
    n_parameters: int
    subject_labels: tuple[str, ...]
    conditional_modes: Matrix
    conditional_cov: Tensor | None = None

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
        names = self.random_names
        pairs = ((a, b) for a in range(len(names)) for b in range(a + 1))
        return (*(f"random.covariance[{names[a]},{names[b]}]" for a, b in pairs), "sigma.estimate")

    def _variances(self) -> tuple[Quantity, ...]:
        rows, columns = np.tril_indices(len(self.random_names))
        values = (*self.random_cov[rows, columns], self.sigma)
        errors = [None] * len(values) if self.variance_cov is None else np.sqrt(np.diag(self.variance_cov)).tolist()
        return tuple(
            Quantity(path=path, kind=Kind.OPTIMUM, value=float(value), standard_error=error)
            for path, value, error in zip(self._variance_paths(), values, errors, strict=True)
        )

    def _modes(self) -> tuple[Quantity, ...]:
        found: list[Quantity] = []
        for i, label in enumerate(self.subject_labels):
            for j, name in enumerate(self.random_names):
                variance = None if self.conditional_cov is None else float(self.conditional_cov[i, j, j])
                found.append(
                    Quantity(
                        path=f"mode[{label},{name}].estimate",
                        kind=Kind.POSTERIOR,
                        value=float(self.conditional_modes[i, j]),
                        standard_error=None if variance is None else float(np.sqrt(max(variance, 0.0))),
                    )
                )
                if variance is not None:
                    found.append(Quantity(path=f"mode[{label},{name}].variance", kind=Kind.CURVATURE, value=variance))
        return tuple(found)
