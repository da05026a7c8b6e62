"""The parameters of a model of one grouping factor as its user knows them: by name, with sds and correlations."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.design import LmmDesign

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
    def sigma(self) -> float:
        """The residual standard deviation."""
        ...


def parameter_names(design: LmmDesign) -> Named:
    """Return each parameter's kind and whose it is: variances by columns as theta, sigma, then fixed effects.

    R: the rows of ``confint(m)``, where they are called .sig01, ..., .sigma and by their coefficients.
    """
    names: Named = {}
    start = 0
    for size in design.blocks:
        for column in range(start, start + size):
            first = design.random_names[column]
            names[f"random.sd[{first}]"] = ("sd", (column,))
            for row in range(column + 1, start + size):
                names[f"random.correlation[{design.random_names[row]},{first}]"] = ("correlation", (column, row))
        start += size
    names["sigma"] = ("sigma", ())
    return names | {f"fixed[{name}]": ("fixed", (j,)) for j, name in enumerate(design.fixed_names)}


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
            found[name] = fit.sigma if kind == "sigma" else float(fit.beta[effects[0]])
    return found
