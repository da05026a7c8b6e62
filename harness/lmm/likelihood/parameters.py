"""The parameters of a model as its user knows them: by name, with standard deviations and correlations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import block_diag

from harness.arrays import Matrix, Vector
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.prediction.trained import random_parts

Named = dict[str, tuple[str, tuple[int, ...]]]


class Estimated(Protocol):
    """Coefficients, the covariance of the random effects, and sigma."""

    @property
    def beta(self) -> Vector:
        """Coefficients (p,)."""
        ...

    @property
    def random_cov(self) -> Matrix:
        """Covariance of a subject's random effects (q, q)."""
        ...

    @property
    def sigma(self) -> float | None:
        """The residual standard deviation, None where the residual covariance has a structure."""
        ...


def parameter_names(design: LmmDesign) -> Named:
    """Return each parameter's kind and whose it is: variances by columns as theta, sigma, then fixed effects.

    Effects are numbered over all grouping factors, whose names stand first where there are several. R: the rows of
    ``confint(m)``, where they are called .sig01, ..., .sigma and by their coefficients.
    """
    names: Named = {}
    start = 0
    for prefix, effects, blocks in _factors(design):
        first = start
        for size in blocks:
            for column in range(start, start + size):
                own = effects[column - first]
                names[f"random.sd[{prefix}{own}]"] = ("sd", (column,))
                for row in range(column + 1, start + size):
                    pair = f"{prefix}{effects[row - first]},{own}"
                    names[f"random.correlation[{pair}]"] = ("correlation", (column, row))
            start += size
    if design.residual is None:
        names["sigma"] = ("sigma", ())
    return names | {f"fixed[{name}]": ("fixed", (j,)) for j, name in enumerate(design.fixed_names)}


def _factors(design: LmmDesign) -> Iterator[tuple[str, tuple[str, ...], tuple[int, ...]]]:
    """Yield what names a grouping factor, its effects and the sizes of its blocks, as estimates have them."""
    factors = random_parts(design)
    for terms in factors:
        prefix = f"{terms[0].grouping};" if len(factors) > 1 else ""
        effects = tuple(name for term in terms for name in term.names)
        yield prefix, effects, tuple(size for term in terms for size in term.blocks)


def parameter_values(names: Named, fit: Estimated) -> Mapping[str, float]:
    """Return the parameters' values; a correlation with a constant is NaN."""
    sds = np.sqrt(np.diag(fit.random_cov))
    found = {}
    for name, (kind, effects) in names.items():
        if kind == "sd":
            found[name] = float(sds[effects[0]])
        elif kind == "correlation":
            scale = sds[effects[0]] * sds[effects[1]]
            found[name] = float(np.clip(fit.random_cov[effects] / scale, -1, 1)) if scale > 0 else float("nan")
        else:
            found[name] = float(fit.beta[effects[0]] if fit.sigma is None or kind == "fixed" else fit.sigma)
    return found


def estimated_parameters(design: LmmDesign, estimates: LmmEstimates) -> dict[str, float]:
    """Return all parameters of a fit by any engine; those of a residual structure stand in place of sigma."""
    names = parameter_names(design)
    every = _Every(
        beta=estimates.beta,
        random_cov=block_diag(*(one.cov for one in estimates.random)) if estimates.random else np.zeros((0, 0)),
        sigma=estimates.sigma,
    )
    values = parameter_values(names, every)
    fixed = {name: value for name, value in values.items() if names[name][0] == "fixed"}
    residual = {f"residual[{name}]": value for name, value in estimates.residual_parameters.items()}
    return {name: value for name, value in values.items() if name not in fixed} | residual | fixed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Every:
    """The parameters of all grouping factors together."""

    beta: Vector
    random_cov: Matrix
    sigma: float | None
